use crate::world::World;

const GOOD: &str = "name = \"n\"\nbase_url = \"http://localhost/v1\"\n";

/// The error of a provider `p` that is chosen, and the warning of the same when it is not.
fn fault(id: &str, table: &str) -> (String, Vec<String>) {
    let table = format!("[model_providers.{id}]\n{table}");
    let chosen = World::with(&format!("model_provider = \"{id}\"\n{table}")).error();
    let other = if id == "openai" { "ollama" } else { "openai" };
    let world = World::with(&format!("model_provider = \"{other}\"\n{table}"));
    assert!(world.load().config.model_providers.get(id).is_none_or(|p| p.name != "n"), "{id} is left out");
    (chosen, world.warnings())
}

#[test]
fn a_faulty_provider_is_an_error_only_when_it_is_chosen() {
    for (id, table, message, hint) in [
        (
            "p",
            GOOD.to_owned() + "wire_api = \"smoke\"\n",
            "HOME/config.toml:5:1: `model_providers.p.wire_api` is \"smoke\", which is no protocol of models",
            "use \"responses\", \"chat\" or \"messages\"",
        ),
        (
            "p",
            "name = \"\"\nbase_url = \"x\"".to_owned(),
            "HOME/config.toml:3:1: `model_providers.p.name` must not be empty",
            "add name = \"…\": it is what people get to read",
        ),
        (
            "p",
            "name = \"n\"".to_owned(),
            "HOME/config.toml:2:18: `model_providers.p.base_url` is missing",
            "add base_url = \"https://…/v1\"",
        ),
        (
            "p",
            GOOD.to_owned() + "env_key = \"K\"\nauth = { command = \"c\" }",
            "HOME/config.toml:6:1: `model_providers.p.auth` cannot stand beside env_key",
            "keep one of the two",
        ),
        (
            "openai",
            GOOD.to_owned(),
            "HOME/config.toml:2:18: `model_providers.openai` is the id of a built-in provider, which cannot be changed",
            "rename your table, for example by adding -custom, and set model_provider to that",
        ),
    ] {
        let (error, warnings) = fault(id, &table);
        assert_eq!(error, format!("{message}\n  hint: {hint}"));
        assert_eq!(warnings, [format!("{message}; the provider is ignored")]);
    }
}

#[test]
fn an_unknown_provider_lists_the_known_ones() {
    let world = World::with("model_provider = \"opnai\"");
    let expected = "HOME/config.toml:1:1: Model provider `opnai` not found\n  hint: use one of \"anthropic\", \"lmstudio\", \"ollama\", \"openai\", \"openrouter\", \"vllm\", or add [model_providers.opnai]; did you mean \"openai\"?";
    assert_eq!(world.error(), expected);
}

#[test]
fn all_fields_are_read_and_tokens_do_not_print() {
    let world = World::with(
        r#"
model_provider = "p"
[model_providers.p]
name = "n"
base_url = "http://localhost/v1"
experimental_bearer_token = "tok-123"
query_params = { "api-version" = "1", "api-key" = "qk-123" }
http_headers = { Authorization = "Bearer hdr-123" }
env_http_headers = { X-Key = "MY_KEY" }
request_max_retries = 0
stream_max_retries = 1
stream_idle_timeout_ms = 2
requires_openai_auth = true
supports_websockets = true
auth = { command = "c", args = ["a"], cwd = "d" }
"#,
    );
    let loaded = world.load();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    let provider = loaded.config.provider().unwrap();
    assert_eq!(provider.experimental_bearer_token.as_ref().map(|token| token.expose()), Some("tok-123"));
    assert_eq!(provider.query_params["api-version"].expose(), "1");
    assert_eq!(provider.env_http_headers["X-Key"], "MY_KEY");
    let numbers = (provider.request_max_retries, provider.stream_max_retries, provider.stream_idle_timeout_ms);
    assert_eq!(numbers, (0, 1, 2));
    let auth = provider.auth.as_ref().unwrap();
    assert_eq!((auth.args.as_slice(), auth.timeout_ms), (["a".to_owned()].as_slice(), 5000));
    assert_eq!(auth.cwd.as_deref(), Some(loaded.home.join("d").as_path()));
    let debug = format!("{:?}", loaded.config);
    assert!(debug.contains("[redacted]") && !debug.contains("-123"), "{debug}");
}
