use crate::world::World;
use hone::config::Config;
use hone::config::schema::{ApprovalPolicy, Inherit, SandboxMode};
use std::path::Path;

fn effort(world: &World) -> Option<String> {
    world.load().config.model_reasoning_effort
}

#[test]
fn with_nothing_configured_the_defaults_hold_and_nothing_is_created() {
    let mut world = World::new();
    world.request.env.set("CODEX_HOME", world.project().join("not/there"));
    let loaded = world.load();
    let expected = Config { model_providers: loaded.config.model_providers.clone(), ..Config::default() };
    assert_eq!(loaded.config, expected);
    assert_eq!(loaded.config.provider().unwrap().base_url.as_deref(), Some("https://api.openai.com/v1"));
    assert!(loaded.warnings.is_empty() && loaded.layers.is_empty());
    assert!(!loaded.home.dir().exists());
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let key = |value: &str| format!("model_reasoning_effort = \"{value}\"\n");
    let mut world = World::new().trusted();
    world.system_file(&key("system"));
    assert_eq!(effort(&world).as_deref(), Some("system"));
    let trust = std::fs::read_to_string(world.load().home.join("config.toml")).unwrap();
    let user = key("user") + &trust + "[profiles.p]\n" + &key("profile table");
    world.home_file("config.toml", &user);
    assert_eq!(effort(&world).as_deref(), Some("user"));
    world = world.profile("p");
    assert_eq!(effort(&world).as_deref(), Some("profile table"));
    world.home_file("p.config.toml", &key("profile file"));
    assert_eq!(effort(&world).as_deref(), Some("profile file"));
    world.project_file(".codex/config.toml", &key("project"));
    assert_eq!(effort(&world).as_deref(), Some("project"));
    world.project_file("sub/.codex/config.toml", &key("sub"));
    assert_eq!(effort(&world).as_deref(), Some("project"));
    world.request.cwd = world.project().join("sub");
    assert_eq!(effort(&world).as_deref(), Some("sub"));
    world = world.over(&["model_reasoning_effort=first", "model_reasoning_effort=second"]);
    assert_eq!(effort(&world).as_deref(), Some("second"));
    world.request.flags.push(("model_reasoning_effort".into(), "flag".into(), "--effort"));
    assert_eq!(effort(&world).as_deref(), Some("flag"));
}

#[test]
fn tables_merge_and_arrays_replace() {
    let world = World::with(
        "project_doc_fallback_filenames = ['A', 'B']\n[shell_environment_policy]\ninherit = 'core'\nset = { A = '1' }\n",
    )
    .over(&["project_doc_fallback_filenames=['C']", "shell_environment_policy.set={B='2'}"]);
    let config = world.load().config;
    assert_eq!(config.project_doc_fallback_filenames, ["C"]);
    let policy = config.shell_environment_policy;
    assert_eq!(policy.inherit, Inherit::Core);
    let set: Vec<_> = policy.set.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    assert_eq!(set, [("A", "1"), ("B", "2")]);
}

#[test]
fn overrides_are_toml_or_else_text() {
    for (text, expected) in [
        ("model=gpt-5.5", "gpt-5.5"),
        ("model=\"o3\"", "o3"),
        ("model='a=b'", "a=b"),
        (" model = o3 ", "o3"),
        ("model=\"broken", "broken"),
        ("model=a b: c", "a b: c"),
    ] {
        let world = World::new().over(&[text]);
        assert_eq!(world.load().config.model.as_deref(), Some(expected), "{text}");
    }
    let world = World::new().over(&[
        "model_provider=my.server",
        r#"model_providers."my.server"={name="mine", base_url="http://localhost/v1", http_headers={"X-A"="b=c"}}"#,
        "hide_agent_reasoning=true",
        "sandbox_workspace_write.network_access=true",
        "tool_output_token_limit=1_000",
        r#"approval_policy={granular={sandbox_approval=true}}"#,
    ]);
    let config = world.load().config;
    assert_eq!(config.provider().unwrap().http_headers["X-A"].expose(), "b=c");
    assert!(config.hide_agent_reasoning && config.sandbox_workspace_write.network_access);
    assert_eq!(config.tool_output_token_limit, Some(1000));
    assert!(matches!(config.approval_policy, Some(ApprovalPolicy::Granular(table)) if table["sandbox_approval"]));
}

#[test]
fn a_profile_is_chosen_by_flag_or_by_the_old_key() {
    let files = "profile = 'a'\nmodel = 'none'\n[profiles.a]\nmodel = 'a'\n[profiles.b]\nmodel = 'b'\n";
    let model = |world: World| world.load().config.model.unwrap();
    assert_eq!(model(World::with(files)), "a");
    assert_eq!(model(World::with(files).profile("b")), "b");
    assert_eq!(model(World::with(files).over(&["profile=b"])), "b");
    let world = World::with(files).profile("c");
    world.home_file("c.config.toml", "model = 'c'");
    assert_eq!(model(world), "c");
}

#[test]
fn relative_paths_start_where_they_are_written() {
    let world = World::with(
        "model_instructions_file = 'base.md'\nsandbox_mode = 'workspace-write'\n[sandbox_workspace_write]\nwritable_roots = ['~/w', '/abs', 'rel']\n[[skills.config]]\npath = 's'\nenabled = false\n",
    )
    .trusted();
    world.home_file("base.md", "from home");
    let config = world.load().config;
    assert_eq!(config.instructions.as_deref(), Some("from home"));
    assert_eq!(config.sandbox_mode, Some(SandboxMode::WorkspaceWrite));
    let home = world.load().home;
    let roots = [home.user().unwrap().join("w"), "/abs".into(), home.join("rel")];
    assert_eq!(config.sandbox_workspace_write.writable_roots, roots);
    assert_eq!(config.skills.config[0].path.as_deref(), Some(home.join("s").as_path()));
    world.project_file(".codex/config.toml", "model_instructions_file = 'p.md'");
    world.project_file(".codex/p.md", "from project");
    assert_eq!(world.load().config.instructions.as_deref(), Some("from project"));
    let world = world.over(&["model_instructions_file=c.md", "instructions=loses"]);
    world.project_file("c.md", "from the command line");
    assert_eq!(world.load().config.instructions.as_deref(), Some("from the command line"));
}

#[test]
fn the_prompt_of_compaction_comes_from_its_file() {
    let world = World::with("compact_prompt = 'loses'\nexperimental_compact_prompt_file = 'sum.md'\n");
    world.home_file("sum.md", "sum up");
    assert_eq!(world.load().config.compact_prompt.as_deref(), Some("sum up"));
}

#[test]
fn dotenv_feeds_the_environment_and_the_address() {
    let mut world = World::with("");
    world.request.env.set("OPENAI_API_KEY", "process");
    world.home_file(".env", "OPENAI_API_KEY=file\nOPENAI_BASE_URL=http://env/v1\nCODEX_HOME=/nope\noops\n");
    let loaded = world.load();
    assert_eq!(loaded.env.get("OPENAI_API_KEY"), Some("file"));
    assert_eq!(loaded.config.provider().unwrap().base_url.as_deref(), Some("http://env/v1"));
    assert_ne!(loaded.env.get_os("CODEX_HOME").map(Path::new), Some(Path::new("/nope")));
    assert_eq!(world.warnings(), ["HOME/.env:4: not NAME=VALUE, ignored; put a value with spaces in quotes"]);
    world.home_file("config.toml", "openai_base_url = 'http://file/v1'");
    assert_eq!(world.load().config.provider().unwrap().base_url.as_deref(), Some("http://file/v1"));
}

#[test]
fn unknown_keys_are_named_once_and_do_no_harm() {
    let world = World::with(
        "modle = 'x'\nnetwork_access = true\nbanana = 1\n[shell_environment_policy]\ninherits = 'none'\nmodel = 'y'\n[tui]\nanything = 1\n[model_providers.p]\nname = 'p'\nbase_url = 'u'\nenvkey = 'k'\n",
    )
    .over(&["modell=z"]);
    let expected = [
        "HOME/config.toml:1: unknown key `modle` is ignored; did you mean `model`?",
        "HOME/config.toml:2: unknown key `network_access` is ignored; did you mean `sandbox_workspace_write.network_access`?",
        "HOME/config.toml:3: unknown key `banana` is ignored",
        "HOME/config.toml:5: unknown key `shell_environment_policy.inherits` is ignored; did you mean `shell_environment_policy.inherit`?",
        "HOME/config.toml:6: unknown key `shell_environment_policy.model` is ignored; did you mean `model`?",
        "HOME/config.toml:12: unknown key `model_providers.p.envkey` is ignored; did you mean `model_providers.p.env_key`?",
        "-c modell: unknown key `modell` is ignored; did you mean `model`?",
    ];
    assert_eq!(world.warnings(), expected);
    assert_eq!(world.load().config.model, None);
}
