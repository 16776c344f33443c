//! Reading every layer, from the weakest to the strongest, and adding them up.

use std::path::{Path, PathBuf};
use toml::Value;

use super::check::check;
use super::dotenv;
use super::environment::Environment;
use super::error::{ConfigError, near_match, quoted_list};
use super::home::Home;
use super::layer::{Layer, LayerKind};
use super::path;
use super::provider;
use super::schema::Config;
use super::trust::{Project, Trust};
use super::value::{Data, merge};

/// What a configuration is loaded for.
#[derive(Clone, Debug)]
pub struct LoadRequest {
    /// The folder of the session. Absolute.
    pub cwd: PathBuf,
    /// The environment of the process.
    pub env: Environment,
    /// `--profile`.
    pub profile: Option<String>,
    /// The arguments of `-c`, in order.
    pub overrides: Vec<String>,
    /// Flags that stand for a key: the key's path, the value, the flag's name such as `--model`.
    pub flags: Vec<(String, Value, &'static str)>,
    /// The file for all users, `/etc/codex/config.toml`.
    pub system_file: PathBuf,
}

impl LoadRequest {
    /// A request without any flags.
    #[must_use]
    pub fn new(cwd: impl Into<PathBuf>, env: Environment) -> Self {
        Self {
            cwd: cwd.into(),
            env,
            profile: None,
            overrides: Vec::new(),
            flags: Vec::new(),
            system_file: PathBuf::from("/etc/codex/config.toml"),
        }
    }
}

/// A configuration, and where it comes from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    /// The layers from the weakest to the strongest.
    pub layers: Vec<Layer>,
    /// What the person should know, one line each.
    pub warnings: Vec<String>,
    /// The process's environment and `.env`: what commands and key look-ups get.
    pub env: Environment,
    /// Where things are kept.
    pub home: Home,
    /// The project of the session.
    pub project: Project,
}

impl Loaded {
    /// Where the value in force of a key comes from, such as `~/.codex/config.toml:3:16` or `--model`; `None` when it is a
    /// default.
    #[must_use]
    pub fn origin(&self, key: &[&str]) -> Option<String> {
        let (layer, (_, value)) = self.layers.iter().rev().find_map(|layer| Some((layer, layer.get(key)?)))?;
        Some(layer.origin.place(value.span().start).to_string())
    }
}

/// Reads all layers and adds them up. Reads only; nothing is created or changed.
///
/// # Errors
/// A file cannot be read or is not TOML, a value is of the wrong kind, or what was chosen (profile, provider) is not there.
pub fn load(request: LoadRequest) -> Result<Loaded, ConfigError> {
    let LoadRequest { cwd, mut env, profile, overrides, flags, system_file } = request;
    let home = Home::find(&env)?;
    let mut warnings = Vec::new();
    dotenv::load(&home.join(".env"), &mut env, &mut warnings)?;

    let mut layers = Vec::new();
    layers.extend(environment_layer(&env));
    layers.extend(Layer::read(LayerKind::System, &system_file)?);
    layers.extend(Layer::read(LayerKind::User, &home.join("config.toml"))?);
    let command_line = command_line_layers(&overrides, flags)?;
    layers.extend(profile_layers(profile.as_deref(), &layers, &command_line, &home)?);
    layers.extend(command_line);
    for layer in &mut layers {
        check(layer, &home, &cwd, &mut warnings)?;
    }

    let project = Project::find(&cwd, &root_markers(&layers), &layers);
    let mut project_layers = project_layers(&project, &cwd, &layers, &home, &mut warnings)?;
    for layer in &mut project_layers {
        check(layer, &home, &cwd, &mut warnings)?;
    }
    let command_line = layers.partition_point(|layer| layer.kind < LayerKind::CommandLine);
    layers.splice(command_line..command_line, project_layers);

    let config = resolve(&layers, &mut warnings)?;
    Ok(Loaded { config, layers, warnings, env, home, project })
}

/// `OPENAI_BASE_URL`, which many programs know. Files win over it.
fn environment_layer(env: &Environment) -> Option<Layer> {
    let (name, key) = ("OPENAI_BASE_URL", "openai_base_url".to_owned());
    let url = env.get(name)?;
    Some(Layer::single(LayerKind::Environment, format!("${name}"), &[key], Data::Text(url.to_owned())))
}

fn command_line_layers(
    overrides: &[String],
    flags: Vec<(String, Value, &'static str)>,
) -> Result<Vec<Layer>, ConfigError> {
    let mut layers = overrides.iter().map(|text| Layer::from_override(text)).collect::<Result<Vec<_>, _>>()?;
    for (key, value, flag) in flags {
        layers.push(Layer::single(LayerKind::CommandLine, flag.to_owned(), &path::split(&key)?, value.into()));
    }
    Ok(layers)
}

/// The layers of the chosen profile: its table in the files read so far, then its own file.
fn profile_layers(
    asked: Option<&str>,
    files: &[Layer],
    command_line: &[Layer],
    home: &Home,
) -> Result<Vec<Layer>, ConfigError> {
    let strongest = command_line.iter().rev().chain(files.iter().rev());
    let configured = || {
        strongest.into_iter().find_map(|layer| {
            let (_, value) = layer.get(&["profile"])?;
            Some((value.get_ref().as_text()?, format!("{}: ", layer.origin.place(value.span().start))))
        })
    };
    let Some((name, place)) = asked.map(|name| (name, String::new())).or_else(configured) else {
        return Ok(Vec::new());
    };
    let mut layers: Vec<Layer> = files.iter().filter_map(|layer| profile_table(layer, name)).collect();
    if is_plain(name) {
        layers.extend(Layer::read(LayerKind::Profile, &home.join(format!("{name}.config.toml")))?);
    }
    if layers.is_empty() { Err(unknown_profile(name, &place, files, home)) } else { Ok(layers) }
}

fn profile_table(layer: &Layer, name: &str) -> Option<Layer> {
    let (_, value) = layer.get(&["profiles", name])?;
    let Data::Table(table) = value.get_ref() else { return None };
    Some(Layer { kind: LayerKind::Profile, origin: layer.origin.clone(), table: table.clone() })
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\'])
}

fn unknown_profile(name: &str, place: &str, files: &[Layer], home: &Home) -> ConfigError {
    let tables = files.iter().filter_map(|layer| layer.get(&["profiles"])?.1.get_ref().as_table());
    let mut known: Vec<String> = tables.flat_map(|table| table.keys().map(|key| key.get_ref().clone())).collect();
    for entry in std::fs::read_dir(home.dir()).into_iter().flatten().flatten() {
        known.extend(entry.file_name().to_str().and_then(|name| name.strip_suffix(".config.toml")).map(str::to_owned));
    }
    known.sort_unstable();
    known.dedup();
    let near = near_match(name, known.iter().map(String::as_str));
    let question = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let hint = if known.is_empty() {
        format!("write [profiles.{name}] in config.toml, or {}", home.join(format!("{name}.config.toml")).display())
    } else {
        format!("there are: {}{question}", known.join(", "))
    };
    ConfigError::new(format!("{place}there is no profile `{name}`")).hint(hint)
}

/// The markers in force before any project has a say.
fn root_markers(layers: &[Layer]) -> Vec<String> {
    let configured = layers.iter().rev().find_map(|layer| match layer.get(&["project_root_markers"])?.1.get_ref() {
        Data::Array(values) => Some(values.iter().filter_map(|value| value.get_ref().as_text()).map(str::to_owned)),
        _ => None,
    });
    configured.map_or_else(|| Config::default().project_root_markers, Iterator::collect)
}

/// The project's own files, as far as they are trusted. One warning for all that are not.
fn project_layers(
    project: &Project,
    cwd: &Path,
    layers: &[Layer],
    home: &Home,
    warnings: &mut Vec<String>,
) -> Result<Vec<Layer>, ConfigError> {
    let (mut trusted, mut ignored) = (Vec::new(), Vec::new());
    for folder in project.folders(cwd) {
        let dir = folder.join(".codex");
        let file = dir.join("config.toml");
        // The home folder's own `.codex` is the person's configuration, not a project's.
        if !file.is_file() || dir == home.dir() || dir.canonicalize().ok() == home.dir().canonicalize().ok() {
            continue;
        }
        if project.trust_of(folder, layers) == Trust::Trusted {
            trusted.extend(Layer::read(LayerKind::Project, &file)?);
        } else {
            ignored.push(file);
        }
    }
    if let Some(first) = ignored.first() {
        let root = project.root.as_deref().unwrap_or(cwd);
        warnings.push(format!(
            "{}: ignored, because this project is not trusted; to use it, put [projects.\"{}\"] trust_level = \"trusted\" into {}",
            first.display(),
            root.display(),
            home.join("config.toml").display()
        ));
    }
    Ok(trusted)
}

/// Adds the layers up and reads the sum into types.
fn resolve(layers: &[Layer], warnings: &mut Vec<String>) -> Result<Config, ConfigError> {
    let mut merged = toml::Table::new();
    for layer in layers {
        merge(&mut merged, &layer.table);
    }
    // Checking has seen every value, so this fails only for what the list of keys does not say.
    let mut config: Config = merged.try_into().map_err(|error: toml::de::Error| {
        ConfigError::new(format!("the configuration cannot be used: {}", error.to_string().trim()))
    })?;
    let instructions = read_text(config.model_instructions_file.as_deref(), "model_instructions_file", layers)?;
    config.instructions = instructions.or(config.instructions);
    let compact_prompt =
        read_text(config.experimental_compact_prompt_file.as_deref(), "experimental_compact_prompt_file", layers)?;
    config.compact_prompt = compact_prompt.or(config.compact_prompt);
    settle_providers(&mut config, layers, warnings)?;
    Ok(config)
}

/// The text of the file that `key` names, if it names one.
fn read_text(file: Option<&Path>, key: &str, layers: &[Layer]) -> Result<Option<String>, ConfigError> {
    let Some(file) = file else { return Ok(None) };
    let place = || place_of(layers, &[key]);
    let text = std::fs::read_to_string(file).map_err(|error| {
        let what = format!("{}{key}: cannot read {}: {error}", place(), file.display());
        ConfigError::new(what).hint("a relative path starts at the folder of the file that names it")
    })?;
    if text.trim().is_empty() {
        return Err(ConfigError::new(format!("{}{key}: {} is empty", place(), file.display())));
    }
    Ok(Some(text))
}

/// Adds the built-in providers and looks at the others. A fault of the chosen provider is an error; of another one it is a
/// warning, since nothing depends on it.
fn settle_providers(config: &mut Config, layers: &[Layer], warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    for (id, provider) in &config.model_providers {
        let Some((key, what, hint)) = provider::fault(id, provider) else { continue };
        let mut segments = vec!["model_providers", id];
        segments.extend(key.split('.').filter(|part| !part.is_empty()));
        let place = place_of(layers, &segments);
        let message = format!("{place}`{}` {what}", path::join(&segments));
        if *id == config.model_provider {
            return Err(ConfigError::new(message).hint(hint));
        }
        warnings.push(format!("{message}; the provider is ignored"));
    }
    config.model_providers.retain(|id, provider| provider::fault(id, provider).is_none());
    for (id, row) in provider::built_in(config.openai_base_url.as_deref()) {
        config.model_providers.entry(id).or_insert(row);
    }
    if config.provider().is_none() {
        return Err(provider_not_found(config, &place_of(layers, &["model_provider"])));
    }
    Ok(())
}

fn provider_not_found(config: &Config, place: &str) -> ConfigError {
    let (id, known) = (&config.model_provider, config.model_providers.keys());
    let question = near_match(id, known.clone().map(String::as_str));
    let question = question.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
    ConfigError::new(format!("{place}Model provider `{id}` not found"))
        .hint(format!("use one of {}, or add [model_providers.{id}]{question}", quoted_list(known)))
}

/// Where the value in force stands, or the table it is missing from, as the start of a message.
fn place_of(layers: &[Layer], path: &[&str]) -> String {
    let lengths = (1..=path.len()).rev();
    let mut found = lengths.flat_map(|len| layers.iter().rev().map(move |layer| (layer, layer.get(&path[..len]))));
    let place = found.find_map(|(layer, entry)| Some(layer.origin.place(entry?.0.span().start)));
    place.map(|place| format!("{place}: ")).unwrap_or_default()
}
