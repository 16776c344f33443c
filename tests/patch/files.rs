//! What happens to real files: links, permissions, folders, and undoing.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hone::agent::ports::{Access, EventSink, Output, Tool, ToolCx};
use hone::protocol::Event;
use hone::protocol::event::{Activity, FileChangeKind};
use hone::protocol::item::OutputPart;
use hone::text::truncate::OutputLimit;
use hone::tools::apply_patch::{self, ApplyPatch};

struct Folder {
    _temporary: tempfile::TempDir,
    root: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        Self { _temporary: temporary, root }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.root.join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.root).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn apply(&self, body: &str) -> Output {
        apply_patch::run(&format!("*** Begin Patch\n{body}\n*** End Patch"), &self.root)
    }
}

fn text(output: &Output) -> &str {
    match output.parts.as_slice() {
        [OutputPart::Text(text)] => text,
        parts => panic!("{parts:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn permissions_links_and_further_names_stay() {
    let folder = Folder::new();
    let script = folder.write("script", "x\n");
    fs::set_permissions(&script, Permissions::from_mode(0o751)).unwrap();
    symlink("script", folder.root.join("link")).unwrap();
    folder.write("one", "x\n");
    fs::hard_link(folder.root.join("one"), folder.root.join("other")).unwrap();
    let output = folder.apply("*** Update File: link\n-x\n+y\n*** Update File: one\n-x\n+y\n*** Add File: d/new\n+1");
    assert!(output.ok, "{output:?}");
    assert_eq!((folder.read("script"), mode(&script)), ("y\n".into(), 0o751));
    assert!(folder.root.join("link").is_symlink());
    assert_eq!(folder.read("other"), "y\n");
    assert_eq!(fs::metadata(folder.root.join("other")).unwrap().nlink(), 2);
    let reference = folder.write("reference", "");
    assert_eq!(mode(&folder.root.join("d/new")), mode(&reference), "a new file has the mode the umask gives");
    assert_eq!(folder.names(), ["d", "link", "one", "other", "reference", "script"], "nothing temporary is left");
}

#[test]
fn two_names_of_a_file_are_one_file() {
    let folder = Folder::new();
    folder.write("d/a", "1\n2\n");
    symlink("d", folder.root.join("e")).unwrap();
    symlink("d/a", folder.root.join("l")).unwrap();
    let output = folder.apply("*** Update File: d/a\n-1\n+x\n*** Update File: e/a\n-2\n+y\n*** Update File: l\n y\n+z");
    assert!(output.ok, "{output:?}");
    assert_eq!(folder.read("d/a"), "x\ny\nz\n");
}

#[test]
fn removing_a_link_leaves_its_file() {
    let folder = Folder::new();
    folder.write("a", "1\n");
    for link in ["l", "m", "n"] {
        symlink("a", folder.root.join(link)).unwrap();
    }
    let output = folder.apply(
        "*** Delete File: l\n*** Update File: m\n*** Move to: moved\n-1\n+2\n*** Delete File: n\n*** Add File: n\n+3",
    );
    assert!(output.ok, "{output:?}");
    assert_eq!(folder.names(), ["a", "moved", "n"]);
    assert_eq!((folder.read("a"), folder.read("moved"), folder.read("n")), ("1\n".into(), "2\n".into(), "3\n".into()));
    assert!(!folder.root.join("n").is_symlink());
}

#[test]
fn a_file_moved_onto_itself_stays() {
    let folder = Folder::new();
    folder.write("a", "1\n");
    symlink("a", folder.root.join("l")).unwrap();
    for target in ["a", "./x/../a", "l"] {
        let output = folder.apply(&format!("*** Update File: a\n*** Move to: {target}\n 1\n+2"));
        assert!(output.ok, "{output:?}");
        fs::write(folder.root.join("a"), "1\n").unwrap();
        assert!(folder.root.join("l").is_symlink());
    }
}

#[test]
fn a_later_section_sees_the_earlier_ones() {
    let folder = Folder::new();
    folder.write("a", "1\n2\n");
    folder.write("gone", "x\n");
    let output = folder.apply(
        "*** Update File: a\n-1\n+one\n*** Update File: a\n one\n-2\n+two\n*** Add File: b\n+x\n*** Update File: b\n-x\n+y\n\
         *** Delete File: gone\n*** Add File: gone/below\n+z\n*** Add File: brief\n+x\n*** Delete File: brief",
    );
    assert_eq!((folder.read("a"), folder.read("b")), ("one\ntwo\n".into(), "y\n".into()));
    assert_eq!(folder.read("gone/below"), "z\n");
    assert_eq!(folder.names(), ["a", "b", "gone"]);
    let shown: Vec<String> = output.changes.iter().map(|change| format!("{:?} {}", change.kind, change.diff)).collect();
    assert_eq!(
        shown,
        [
            "Update { moved_to: None } @@ -1,2 +1,2 @@\n-1\n-2\n+one\n+two\n",
            "Add @@ -0,0 +1 @@\n+y\n",
            "Delete @@ -1 +0,0 @@\n-x\n",
            "Add @@ -0,0 +1 @@\n+z\n",
        ]
    );
}

#[test]
fn a_write_that_fails_takes_everything_back() {
    let folder = Folder::new();
    let a = folder.write("a", "1\n");
    fs::set_permissions(&a, Permissions::from_mode(0o640)).unwrap();
    folder.write("old", "1\n");
    folder.write("file", "x\n");
    let output = folder.apply(
        "*** Update File: a\n-1\n+2\n*** Add File: new/deep/b\n+1\n*** Update File: old\n*** Move to: moved\n-1\n+2\n\
         *** Add File: file/below\n+1",
    );
    assert!(!output.ok);
    let below = folder.root.join("file/below");
    assert_eq!(
        text(&output),
        format!(
            "Exit code: 1\nWall time: 0 seconds\nOutput:\nFailed to write file {}: Not a directory (os error 20)\nNothing was \
             changed: what was already done has been undone.",
            below.display()
        )
    );
    assert_eq!(folder.names(), ["a", "file", "old"]);
    assert_eq!((folder.read("a"), mode(&a), folder.read("old")), ("1\n".into(), 0o640, "1\n".into()));
}

#[test]
fn what_is_no_regular_file_is_never_opened() {
    let folder = Folder::new();
    symlink("/dev/zero", folder.root.join("zero")).unwrap();
    for body in ["*** Update File: zero\n-x", "*** Delete File: zero", "*** Add File: /dev/null\n+x"] {
        let output = folder.apply(body);
        assert!(text(&output).ends_with("is not a file"), "{output:?}");
    }
}

struct Deaf;

impl EventSink for Deaf {
    fn emit(&self, _event: Event) {}
}

fn call(tool: &ApplyPatch, input: &str, cwd: &Path) -> Output {
    let cx = ToolCx {
        call_id: "c".into(),
        thread_id: "t".into(),
        cwd: cwd.to_owned(),
        output_limit: OutputLimit::Tokens(1000),
        permit: hone::agent::ports::Permit::default(),
        cancel: tokio_util::sync::CancellationToken::new(),
        events: Arc::new(Deaf),
    };
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(tool.call(input, &cx))
}

#[test]
fn the_tool_takes_a_patch_raw_and_in_json() {
    let patch = "*** Begin Patch\n*** Add File: a\n+1\n*** End Patch";
    let json = |key: &str| serde_json::json!({ key: patch }).to_string();
    for tool in [ApplyPatch::freeform(), ApplyPatch::function()] {
        assert_eq!(tool.spec().name, "apply_patch");
        for input in [patch.to_owned(), json("input"), json("patch")] {
            let folder = Folder::new();
            let paths = vec![folder.root.join("a")];
            assert_eq!(tool.activity(&input, &folder.root), Activity::Patch { paths: vec!["a".into()] });
            assert_eq!(tool.access(&input, &folder.root), Some(Access::Write(paths)));
            let output = call(&tool, &input, &folder.root);
            assert!(output.ok);
            assert_eq!(
                text(&output),
                "Exit code: 0\nWall time: 0 seconds\nOutput:\nSuccess. Updated the following files:\nA a\n"
            );
            assert_eq!(output.changes[0].kind, FileChangeKind::Add);
            assert_eq!(folder.read("a"), "1\n");
        }
    }
}

#[test]
fn the_tool_says_what_is_wrong() {
    let folder = Folder::new();
    folder.write("a", "one\ntwo\n");
    folder.write("big", &"x\n".repeat(100));
    let patch = |body: &str| format!("*** Begin Patch\n{body}\n*** End Patch");
    let root = folder.root.display();
    for (input, answer) in [
        (
            "garbage".into(),
            "apply_patch verification failed: invalid patch: The first line of the patch must be '*** Begin Patch'"
                .into(),
        ),
        ("{\"text\":1}".into(), "failed to parse function arguments: missing field `input` at line 1 column 10".into()),
        ("*** Begin Patch\n*** End Patch".into(), "patch rejected: empty patch".into()),
        (
            patch("*** Update File: none\n-x"),
            format!(
                "apply_patch verification failed: Failed to read file to update {root}/none: No such file or directory (os \
                 error 2)"
            ),
        ),
        (
            patch("*** Delete File: none"),
            format!(
                "apply_patch verification failed: Failed to read {root}/none: No such file or directory (os error 2)"
            ),
        ),
        (
            patch("*** Update File: a\n one\n-tow"),
            format!(
                "apply_patch verification failed: Failed to find expected lines in {root}/a:\none\ntow\n\nThe closest lines \
                 begin at line 1. The first difference is at line 2:\n  patch: tow\n  file:  two"
            ),
        ),
    ] {
        let output = call(&ApplyPatch::freeform(), &input, &folder.root);
        assert_eq!((text(&output), output.ok), (answer.as_str(), false));
    }
    let long = patch(&format!("*** Update File: a\n{}", "-long\n".repeat(10_000)));
    let output = call(&ApplyPatch::freeform(), &long, &folder.root);
    assert!(text(&output).len() < 5000, "what goes back to the model is bounded");
}
