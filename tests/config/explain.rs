use crate::world::World;
use hone::config::explain::explain;

fn explained(world: &World, key: &str) -> String {
    world.short(&explain(&world.load(), Some(key)).unwrap())
}

#[test]
fn a_key_shows_every_layer_and_the_one_in_force() {
    let world = World::with("# mine\nmodel_verbosity = 'low'\n[profiles.p]\nmodel_verbosity = 'high'\n")
        .profile("p")
        .over(&["model_verbosity=medium"]);
    insta::assert_snapshot!(explained(&world, "model_verbosity"), @r#"
    model_verbosity = "medium"
      How much the model writes.

    * "medium"  command line -c
      "high"    profile HOME/config.toml:4
      "low"     user HOME/config.toml:2
      not set   built in
    "#);
    insta::assert_snapshot!(explained(&world, "project_doc_max_bytes"), @"
    project_doc_max_bytes = 32768
      How much of all AGENTS.md the model gets; 0 for none.

    * 32768  built in
    ");
    insta::assert_snapshot!(explained(&world, "review_model"), @"
    review_model is not set
      Codex knows this key; this program does not use it.

    * not set  built in
    ");
}

#[test]
fn a_table_and_everything_list_what_is_in_force() {
    let world = World::with(
        "model = 'a'\nbanana = 1\nmodel_provider = 'p'\n[model_providers.p]\nname = 'P'\nbase_url = 'https://u:pw@h/v1'\nhttp_headers = { Authorization = 'Bearer x', X-Team = 'core' }\nexperimental_bearer_token = 'x'\nenv_http_headers = { X-Key = 'MY_KEY' }\n[mcp_servers.m]\ncommand = 'run'\nenv = { API_TOKEN = 'x', MODE = 'fast' }\n",
    )
    .over(&["model_providers.p.name=Q", "model=b"]);
    insta::assert_snapshot!(explained(&world, "model_providers.p"), @r#"
    [model_providers.p]
      Providers of your own.
    model_providers.p.base_url = "https://[redacted]@h/v1"  # HOME/config.toml:6
    model_providers.p.env_http_headers.X-Key = "MY_KEY"  # HOME/config.toml:9
    model_providers.p.experimental_bearer_token = "[redacted]"  # HOME/config.toml:8
    model_providers.p.http_headers.Authorization = "[redacted]"  # HOME/config.toml:7
    model_providers.p.http_headers.X-Team = "core"  # HOME/config.toml:7
    model_providers.p.name = "Q"  # -c
    "#);
    let all = world.short(&explain(&world.load(), None).unwrap());
    insta::assert_snapshot!(all.lines().filter(|line| !line.starts_with("model_providers")).collect::<Vec<_>>().join("\n"), @r#"
    banana = 1  # HOME/config.toml:2
    mcp_servers.m.command = "run"  # HOME/config.toml:11
    mcp_servers.m.env.API_TOKEN = "[redacted]"  # HOME/config.toml:12
    mcp_servers.m.env.MODE = "fast"  # HOME/config.toml:12
    model = "b"  # -c
    model_provider = "p"  # HOME/config.toml:3
    "#);
    insta::assert_snapshot!(explained(&world, "banana"), @r"
    banana = 1
      This program does not know this key.

    * 1        user HOME/config.toml:2
      not set  built in
    ");
    assert_eq!(explain(&World::new().load(), None).unwrap(), "nothing is set\n");
}

#[test]
fn an_unknown_key_is_an_error_with_a_near_match() {
    let error = |key: &str| {
        let error = explain(&World::new().load(), Some(key)).unwrap_err();
        (error.message, error.hint.unwrap())
    };
    let (message, hint) = error("modle");
    assert_eq!(message, "there is no key `modle`, and no file sets one");
    assert_eq!(hint, "did you mean `model`?");
    assert_eq!(error("network_access").1, "did you mean `sandbox_workspace_write.network_access`?");
    assert_eq!(error("zzz").1, "`hone config explain` without a key lists what is set");
}
