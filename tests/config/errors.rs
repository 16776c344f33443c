use crate::world::World;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_wrong_value_names_file_line_key_and_what_is_expected() {
    for (config, expected) in [
        (
            "model = 'x'\nmodel_verbosity = \"hgih\"\n",
            "HOME/config.toml:2:19: `model_verbosity` cannot be \"hgih\"\n  2 | model_verbosity = \"hgih\"\n    |                   ^^^^^^\n  hint: use one of \"low\", \"medium\", \"high\"; did you mean \"high\"?",
        ),
        (
            "sandbox_mode = \"off\"",
            "HOME/config.toml:1:16: `sandbox_mode` cannot be \"off\"\n  1 | sandbox_mode = \"off\"\n    |                ^^^^^\n  hint: use one of \"read-only\", \"workspace-write\", \"danger-full-access\"",
        ),
        (
            "model = 5",
            "HOME/config.toml:1:9: `model` must be text in quotes, but is a whole number\n  1 | model = 5\n    |         ^",
        ),
        (
            "[model_providers.\"é\"]\nrequest_max_retries = \"4\"",
            "HOME/config.toml:2:23: `model_providers.\"é\".request_max_retries` must be a whole number, but is text\n  2 | request_max_retries = \"4\"\n    |                       ^^^",
        ),
        (
            "project_doc_max_bytes = -1",
            "HOME/config.toml:1:25: `project_doc_max_bytes` must not be negative\n  1 | project_doc_max_bytes = -1\n    |                         ^^",
        ),
        (
            "project_doc_fallback_filenames = ['é', 2]",
            "HOME/config.toml:1:40: `project_doc_fallback_filenames` must be text in quotes, but is a whole number\n  1 | project_doc_fallback_filenames = ['é', 2]\n    |                                        ^",
        ),
        ("model = \" \"", "HOME/config.toml:1:9: `model` must not be empty\n  1 | model = \" \"\n    |         ^^^"),
        (
            "tools = true",
            "HOME/config.toml:1:9: `tools` must be a table, but is true or false\n  1 | tools = true\n    |         ^^^^",
        ),
    ] {
        assert_eq!(World::with(config).error(), expected, "{config}");
    }
}

#[test]
fn wrong_arguments_name_the_flag() {
    for (text, expected) in [
        ("nokey", "-c nokey: there is no `=`\n  hint: write -c KEY=VALUE, for example -c model_verbosity=low"),
        (
            "=x",
            "-c =x: `` is not a key: a part is empty\n  hint: write -c KEY=VALUE, for example -c model_verbosity=low",
        ),
        (
            "model_verbosity=loud",
            "-c: `model_verbosity` cannot be \"loud\"\n  hint: use one of \"low\", \"medium\", \"high\"",
        ),
        ("hide_agent_reasoning=yes", "-c: `hide_agent_reasoning` must be true or false, but is text"),
        (
            "approval_policy=5",
            "-c: `approval_policy` must be one of \"untrusted\", \"on-failure\", \"on-request\", \"never\" or a table, but is a whole number",
        ),
    ] {
        assert_eq!(World::new().over(&[text]).error(), expected);
    }
    let mut world = World::new();
    world.request.flags.push(("sandbox_mode".into(), "off".into(), "--sandbox"));
    assert!(world.error().starts_with("--sandbox: `sandbox_mode` cannot be \"off\"\n"));
}

#[test]
fn broken_toml_shows_the_line() {
    for (config, expected) in [
        (
            "model = \"a\"\nmodel_provider = \n",
            "HOME/config.toml:2:18: this is not TOML: string values must be quoted, expected literal string\n  2 | model_provider = \n    |                  ^",
        ),
        (
            "model = 'a'\nmodel = 'b'\n",
            "HOME/config.toml:2:1: this is not TOML: duplicate key\n  2 | model = 'b'\n    | ^^^^^",
        ),
        (
            "model_context_window = 99999999999999999999",
            "HOME/config.toml:1:24: this is not TOML: 99999999999999999999 is too large\n  1 | model_context_window = 99999999999999999999\n    |                        ^^^^^^^^^^^^^^^^^^^^",
        ),
    ] {
        assert_eq!(World::with(config).error(), expected, "{config}");
    }
    let world = World::new();
    std::fs::write(world.load().home.join("config.toml"), b"# caf\xe9\nmodel = 'x'\n").unwrap();
    assert_eq!(world.error(), "HOME/config.toml:1: this is not UTF-8 text\n  hint: save the file as UTF-8");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let world = World::new();
    std::fs::create_dir(world.load().home.join("config.toml")).unwrap();
    let hint = "\n  hint: make it readable, or move it away";
    assert_eq!(world.error(), format!("cannot read HOME/config.toml: Is a directory (os error 21){hint}"));

    let world = World::with("model = 'x'");
    let path = world.load().home.join("config.toml");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything, so there is no error to look at.
    if std::fs::read(&path).is_err() {
        assert_eq!(world.error(), format!("cannot read HOME/config.toml: Permission denied (os error 13){hint}"));
    }

    let world = World::with("model_instructions_file = 'gone.md'");
    let expected = "HOME/config.toml:1:1: model_instructions_file: cannot read HOME/gone.md: No such file or directory (os error 2)\n  hint: a relative path starts at the folder of the file that names it";
    assert_eq!(world.error(), expected);
    world.home_file("gone.md", " \n");
    assert_eq!(world.error(), "HOME/config.toml:1:1: model_instructions_file: HOME/gone.md is empty");
}

#[test]
fn an_unknown_profile_lists_the_known_ones() {
    let world = World::with("[profiles.fast]\nmodel = 'x'\n").profile("fsat");
    world.home_file("deep.config.toml", "");
    assert_eq!(world.error(), "there is no profile `fsat`\n  hint: there are: deep, fast; did you mean `fast`?");
    assert_eq!(
        World::with("\nprofile = 'x'").error(),
        "HOME/config.toml:2:11: there is no profile `x`\n  hint: write [profiles.x] in config.toml, or HOME/x.config.toml"
    );
    assert!(World::new().profile("../x").error().starts_with("there is no profile `../x`"));
}
