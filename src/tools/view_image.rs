//! `view_image`: shows the model an image file.
//!
//! A provider refuses a request that carries a broken image, and would refuse every later one too, since the image
//! stays in the conversation. So the format is told by the content, and a file that stops short is not sent.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::disk;
use super::{arguments, spec};
use crate::agent::ports::{Access, BoxFuture, Output, Tool, ToolCx};
use crate::protocol::ToolSpec;
use crate::protocol::event::Activity;
use crate::protocol::item::OutputPart;

/// The largest file that is sent. Providers refuse requests not much larger.
const MAX_BYTES: u64 = 20 * 1024 * 1024;

/// How far from a file's end its picture may end.
const TRAILER_BYTES: usize = 16 * 1024;

#[derive(Deserialize)]
struct Args {
    path: String,
}

/// The tool.
pub struct ViewImage {
    spec: ToolSpec,
}

impl ViewImage {
    pub(super) fn new() -> Self {
        Self { spec: spec(include_str!("../../tools/view_image.json")) }
    }
}

impl Tool for ViewImage {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    fn activity(&self, input: &str, cwd: &Path) -> Activity {
        arguments::activity(&self.spec.name, input, |args: Args| disk::shown(cwd, &args.path))
    }

    fn access(&self, input: &str, _cwd: &Path) -> Option<Access> {
        arguments::parse::<Args>(input).ok().map(|_| Access::Read)
    }

    fn call<'a>(&'a self, input: &'a str, cx: &'a ToolCx) -> BoxFuture<'a, Output> {
        Box::pin(async move {
            let args = match arguments::parse::<Args>(input) {
                Ok(args) => args,
                Err(answer) => return answer,
            };
            let (path, limit) = (disk::resolve(&cx.cwd, &args.path), cx.output_limit);
            disk::run(cx, move |stop| match readable(&path, stop).and_then(|()| data_url(&path)) {
                Ok(url) => {
                    Output { parts: vec![OutputPart::Image { url, detail: "high" }], ok: true, ..Output::default() }
                }
                Err(reason) => disk::answer(Err(reason), limit),
            })
            .await
        })
    }
}

fn readable(path: &Path, stop: &disk::Stop) -> Result<(), String> {
    if stop.hides(path) {
        Err(format!("unable to read image at `{}`: it may not be read", path.display()))
    } else {
        Ok(())
    }
}

fn data_url(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let unreadable = |error| format!("unable to locate image at `{shown}`: {error}");
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(format!("image path `{shown}` is not a file"));
    }
    if metadata.len() > MAX_BYTES {
        return Err(format!(
            "unable to process image: `{shown}` is {} MB and at most {} MB can be sent; make a smaller copy first",
            metadata.len().div_ceil(1 << 20),
            MAX_BYTES >> 20,
        ));
    }
    let bytes = fs::read(path).map_err(|error| format!("unable to read image at `{shown}`: {error}"))?;
    let media_type = media_type(&bytes)?;
    let mut url = format!("data:{media_type};base64,");
    url.reserve_exact(bytes.len().div_ceil(3) * 4);
    STANDARD.encode_string(&bytes, &mut url);
    Ok(url)
}

/// What `bytes` are, told by how they begin; that they end as such a file does is checked too.
fn media_type(bytes: &[u8]) -> Result<&'static str, String> {
    // Programs leave a little after the end; a picture inside the picture ends far from it.
    let near_end = &bytes[bytes.len().saturating_sub(TRAILER_BYTES)..];
    let (name, media_type, complete) = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        ("PNG", "image/png", memchr::memmem::rfind(near_end, b"IEND").is_some())
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        ("JPEG", "image/jpeg", memchr::memmem::rfind(near_end, b"\xff\xd9").is_some())
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        ("GIF", "image/gif", near_end.trim_ascii_end().ends_with(b";"))
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        let size = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        ("WebP", "image/webp", bytes.len() as u64 >= u64::from(size) + 8)
    } else {
        return Err(
            "unable to process image: invalid or unsupported image data; PNG, JPEG, GIF and WebP can be shown".into()
        );
    };
    if !complete {
        return Err(format!("unable to process image: invalid image data, the {name} file is not complete"));
    }
    Ok(media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] =
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\
        \xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

    #[test]
    fn formats_are_told_by_their_content() {
        for (bytes, expected) in [
            (PNG, "image/png"),
            (b"\xff\xd8\xff\xe0 picture \xff\xd9", "image/jpeg"),
            (b"GIF89a\x01\0\x01\0\0\0\0,picture;", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0data", "image/webp"),
        ] {
            assert_eq!(media_type(bytes), Ok(expected));
            let short = media_type(&bytes[..bytes.len() - 8]).unwrap_err();
            assert!(short.ends_with("file is not complete"), "{short}");
        }
        for bytes in [&b""[..], b"RIFF", b"RIFF\x08\0\0\0WAVE", b"<svg/>", b"BM"] {
            assert!(media_type(bytes).unwrap_err().contains("invalid or unsupported image data"));
        }
    }

    #[test]
    fn what_cannot_be_shown_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let shown = |name| path(name).display().to_string();
        assert_eq!(
            data_url(&path("none.png")).unwrap_err(),
            format!("unable to locate image at `{}`: No such file or directory (os error 2)", shown("none.png"))
        );
        assert_eq!(
            data_url(folder.path()).unwrap_err(),
            format!("image path `{}` is not a file", folder.path().display())
        );
        fs::File::create(path("big.png")).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert_eq!(
            data_url(&path("big.png")).unwrap_err(),
            format!(
                "unable to process image: `{}` is 21 MB and at most 20 MB can be sent; make a smaller copy first",
                shown("big.png")
            )
        );
    }

    #[test]
    fn an_image_travels_as_a_data_url() {
        let folder = tempfile::tempdir().unwrap();
        // The name says nothing about the format.
        let path = folder.path().join("picture.jpg");
        fs::write(&path, PNG).unwrap();
        let url = data_url(&path).unwrap();
        let encoded = url.strip_prefix("data:image/png;base64,").unwrap();
        assert_eq!(STANDARD.decode(encoded).unwrap(), PNG);
    }
}
