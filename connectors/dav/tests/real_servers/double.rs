//! A server that says a few things by heart, where no server that tests start says them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What a request whose first line begins so is answered with: status and body. The first that fits; else 404.
pub type Script = &'static [(&'static str, u16, &'static str)];

/// The address of one that answers by this script for as long as the test lasts.
pub async fn double(script: Script) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(answer(client, script));
        }
    });
    url
}

/// Requests of these tests are small: each arrives in one piece.
async fn answer(mut client: TcpStream, script: Script) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(size @ 1..) = client.read(&mut buffer).await {
        let asked = String::from_utf8_lossy(&buffer[..size]).into_owned();
        let known = script.iter().find(|(begins, ..)| asked.starts_with(begins));
        let (status, body) = known.map_or((404, ""), |(_, status, body)| (*status, *body));
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nDAV: 1, nc-trash\r\n\r\n", body.len());
        client.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    }
}
