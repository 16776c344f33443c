//! `hone responses-server`: any server of models, for any client of the Responses API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use std::io::Read as _;
use std::sync::Arc;
use tokio::net::TcpListener;

use super::args::{Options, ResponsesServerOptions};
use super::terminal;
use crate::model::{Provider, Secret};
use crate::protocol::provider::WireApi;
use crate::protocol::{ErrorKind, UserError};
use crate::serve::responses::ResponsesServer;

/// Serves until it is interrupted.
///
/// # Errors
/// An option cannot be used, or the address cannot be listened on.
pub fn run(options: &Options, asked: &ResponsesServerOptions) -> Result<u8, UserError> {
    let usage = |message: String, hint: &str| UserError::new(ErrorKind::Usage, message).hint(hint.to_owned());
    let wire = WireApi::named(&asked.wire).filter(|wire| *wire != WireApi::Responses);
    let wire = wire.ok_or_else(|| {
        usage(format!("`{}` is no format to translate", asked.wire), "use --wire chat or --wire messages")
    })?;
    if reqwest::Url::parse(&asked.upstream).is_err() {
        return Err(usage(
            format!("`{}` is no address", asked.upstream),
            "give --upstream one such as http://localhost:8000/v1",
        ));
    }
    if asked.no_token && !asked.listen.ip().is_loopback() {
        return Err(usage(
            format!("{} can be reached from other machines", asked.listen),
            "leave out --no-token, or listen on 127.0.0.1",
        ));
    }
    let env = options.setup()?.load()?.env;
    let variable = |name: &String| {
        env.get(name).map(str::to_owned).filter(|value| !value.trim().is_empty()).ok_or_else(|| {
            UserError::new(ErrorKind::Auth, format!("Missing environment variable: `{name}`."))
                .hint("set it, in the environment or in .env beside config.toml")
        })
    };
    let key = asked.key_env.as_ref().map(variable).transpose()?;
    let (token, made) = match &asked.token_env {
        _ if asked.no_token => (None, false),
        Some(name) => (Some(variable(name)?), false),
        None if asked.token_stdin => (Some(read_token()?), false),
        None => (Some(new_token()?), true),
    };
    let provider = Provider {
        wire,
        key: key.as_deref().map(Secret::new),
        key_env: asked.key_env.clone(),
        ..Provider::new("upstream", "upstream", &asked.upstream)
    };
    let shown = if made { token.clone() } else { None };
    let server =
        ResponsesServer::new(provider, token.map(|token| token.trim().to_owned()), asked.upstream_model.clone())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|error| UserError::new(ErrorKind::Failed, format!("no threads can be started: {error}")))?;
    runtime.block_on(async {
        let listener =
            TcpListener::bind(asked.listen).await.and_then(|listener| Ok((listener.local_addr()?, listener)));
        let (address, listener) = listener.map_err(|error| {
            usage(format!("cannot listen on {}: {error}", asked.listen), "choose another --listen HOST:PORT")
        })?;
        terminal::print(&format!("base_url = \"http://{address}/v1\"\n"));
        if let Some(token) = shown {
            terminal::print(&format!("token = \"{token}\"\n"));
        }
        tokio::select! {
            () = Arc::new(server).run(listener) => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(0)
    })
}

fn read_token() -> Result<String, UserError> {
    let mut token = String::new();
    match std::io::stdin().take(64 * 1024).read_to_string(&mut token) {
        Ok(_) if !token.trim().is_empty() => Ok(token),
        _ => {
            Err(UserError::new(ErrorKind::Usage, "standard input holds no token")
                .hint("pipe it in, or use --token-env"))
        }
    }
}

fn new_token() -> Result<String, UserError> {
    let mut bytes = [0; 24];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| UserError::new(ErrorKind::Failed, "the system gives no random numbers to make a token of"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
