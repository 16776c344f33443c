use crate::world::World;
use hone::config::trust::Trust;

const PROJECT_FILE: &str = "model = 'from project'\n";

fn model(world: &World) -> Option<String> {
    world.load().config.model
}

#[test]
fn an_untrusted_projects_file_is_ignored_with_one_warning() {
    let mut world = World::with("");
    world.project_file(".codex/config.toml", "this is not even TOML");
    world.project_file("sub/.codex/config.toml", PROJECT_FILE);
    world.request.cwd = world.project().join("sub");
    let expected = "PROJECT/.codex/config.toml: ignored, because this project is not trusted; to use it, put [projects.\"PROJECT\"] trust_level = \"trusted\" into HOME/config.toml";
    assert_eq!(world.warnings(), [expected]);
    assert_eq!((model(&world), world.load().project.trust), (None, Trust::Unknown));
}

#[test]
fn what_a_project_may_not_set_is_named() {
    let world = World::with("model_provider = 'ollama'").trusted();
    world.project_file(
        ".codex/config.toml",
        "model = 'from project'\nmodel_provider = 'evil'\nnotify = ['rm']\nprofile = 'x'\n[model_providers.evil]\nname = 'e'\n[projects.\"/\"]\ntrust_level = 'trusted'\n",
    );
    let expected = "PROJECT/.codex/config.toml: a project may not set model_provider, model_providers, notify, profile, projects: ignored; set it in your own config.toml";
    assert_eq!(world.warnings(), [expected]);
    let loaded = world.load();
    assert_eq!(
        (loaded.config.model.as_deref(), loaded.config.model_provider.as_str()),
        (Some("from project"), "ollama")
    );
    assert!(!loaded.config.model_providers.contains_key("evil"));
}

#[test]
fn a_folders_own_word_counts_more_than_its_roots() {
    let mut world = World::new().trusted();
    let sub = world.project().join("sub");
    world.project_file("sub/.codex/config.toml", PROJECT_FILE);
    world.request.cwd.clone_from(&sub);
    assert_eq!((model(&world).as_deref(), world.load().project.trust), (Some("from project"), Trust::Trusted));
    let world = world.over(&[&format!("projects.\"{}/\".trust_level=untrusted", sub.display())]);
    assert_eq!((model(&world), world.load().project.trust), (None, Trust::Untrusted));
}

#[test]
fn a_linked_worktree_is_trusted_as_its_repository() {
    let mut world = World::new().trusted();
    let linked = world.project().with_file_name("linked");
    world.project_file(".git/worktrees/linked/HEAD", "ref: refs/heads/side\n");
    world.project_file(".git/worktrees/linked/commondir", "../..\n");
    world.project_file("../linked/.codex/config.toml", PROJECT_FILE);
    assert_eq!(model(&world), None);
    world.request.cwd = linked;
    assert_eq!(model(&world), None, "without a .git of its own it is no worktree");
    let git_file = format!("gitdir: {}\n", world.project().join(".git/worktrees/linked").display());
    world.project_file("../linked/.git", &git_file);
    assert_eq!(model(&world).as_deref(), Some("from project"));
}

#[test]
fn the_persons_own_folder_is_no_project() {
    let mut world = World::with("model = 'mine'");
    let user = world.load().home.user().unwrap().to_owned();
    world.request.cwd = user;
    assert_eq!((model(&world).as_deref(), world.warnings().len()), (Some("mine"), 0));
}

#[test]
fn markers_decide_where_the_root_is() {
    let mut world = World::with("project_root_markers = ['root.txt']").trusted();
    world.request.cwd = world.project().join("a/b");
    world.project_file(".codex/config.toml", PROJECT_FILE);
    world.project_file("a/b/keep", "");
    assert_eq!((world.load().project.root, model(&world)), (None, None));
    world.project_file("root.txt", "");
    assert_eq!(world.load().project.root, Some(world.project()));
    assert_eq!(model(&world).as_deref(), Some("from project"));
}

#[test]
fn what_is_thought_of_a_folder_is_written_beside_all_else_and_read_again() {
    let folder = std::path::Path::new("/a \"b\"/c");
    let header = "[projects.'/a \"b\"/c']";
    for (before, trusted, after) in [
        ("", true, format!("{header}\ntrust_level = \"trusted\"\n")),
        ("# mine\nmodel = \"x\"", false, format!("# mine\nmodel = \"x\"\n\n{header}\ntrust_level = \"untrusted\"\n")),
        (
            &format!("{header}\ntrust_level = \"untrusted\"\n[tui]\ntrust_level = 1\n"),
            true,
            format!("{header}\ntrust_level = \"trusted\"\n[tui]\ntrust_level = 1\n"),
        ),
        (&format!("{header}\n\n[tui]\n"), true, format!("{header}\ntrust_level = \"trusted\"\n\n[tui]\n")),
    ] {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.toml");
        std::fs::write(&file, before).unwrap();
        hone::config::trust::record(&file, folder, trusted).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), after, "{before:?}");
    }
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("config.toml");
    std::fs::write(&file, "projects = {}\n").unwrap();
    assert!(hone::config::trust::record(&file, folder, true).is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "projects = {}\n");
}
