//! A request's body, read before the request takes a place among those that are worked on: a client that sends slowly
//! keeps nobody out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use attesto_host_guest::{Body, BodyError};
use http::HeaderMap;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It broke off, is malformed, or is longer than any may be.
    Body(BodyError),
    /// All that is kept of bodies at a time is taken.
    NoRoom,
}

/// Reads a body to its end, or until more than `limit` bytes of it are there: whoever wants no more than `limit` then
/// sees without waiting that it is longer. What is read takes as many permits of `room` until it is handed on.
pub(crate) async fn read(mut body: Body, limit: usize, room: &Arc<Semaphore>) -> Result<Body, ReadError> {
    // One piece: a client may send a byte at a time, and each frame costs more than that.
    let mut data = Vec::new();
    let mut permits: Option<OwnedSemaphorePermit> = None;
    let (mut trailers, mut rest) = (None, None);
    loop {
        if data.len() > limit {
            rest = Some(body);
            break;
        }
        let Some(frame) = body.frame().await else { break };
        match frame.map_err(ReadError::Body)?.into_data() {
            Ok(piece) => {
                let size = u32::try_from(piece.len()).map_err(|_| ReadError::NoRoom)?;
                let more = Arc::clone(room).try_acquire_many_owned(size).map_err(|_| ReadError::NoRoom)?;
                match &mut permits {
                    Some(permits) => permits.merge(more),
                    None => permits = Some(more),
                }
                data.extend_from_slice(&piece);
            }
            // They are a body's last frame.
            Err(frame) => {
                trailers = frame.into_trailers().ok();
                break;
            }
        }
    }
    let data = (!data.is_empty()).then(|| (Bytes::from(data), permits));
    Ok(ReadAhead { data, trailers, rest }.boxed_unsync())
}

/// What was read of a body, and then the rest of it.
struct ReadAhead {
    data: Option<(Bytes, Option<OwnedSemaphorePermit>)>,
    trailers: Option<HeaderMap>,
    rest: Option<Body>,
}

impl hyper::body::Body for ReadAhead {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Some((data, _)) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        if let Some(trailers) = self.trailers.take() {
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        match &mut self.rest {
            Some(rest) => Pin::new(rest).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none()
            && self.trailers.is_none()
            && self.rest.as_ref().is_none_or(|rest| rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.data.as_ref().map_or(0, |(data, _)| data.len() as u64);
        let rest = self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |rest| rest.size_hint());
        let mut hint = SizeHint::new();
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint.set_lower(rest.lower().saturating_add(read));
        hint
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::body::Body as _;
    use std::collections::VecDeque;

    /// A body of these frames, which then ends or never does.
    struct Sent {
        frames: VecDeque<Result<Frame<Bytes>, BodyError>>,
        ends: bool,
    }

    impl hyper::body::Body for Sent {
        type Data = Bytes;
        type Error = BodyError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
            match self.frames.pop_front() {
                None if !self.ends => Poll::Pending,
                frame => Poll::Ready(frame),
            }
        }
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, BodyError> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    fn sent(frames: impl IntoIterator<Item = Result<Frame<Bytes>, BodyError>>, ends: bool) -> Body {
        Sent { frames: frames.into_iter().collect(), ends }.boxed_unsync()
    }

    fn room() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(10))
    }

    #[tokio::test]
    async fn a_whole_body_takes_room_until_it_is_handed_on() {
        let room = room();
        let trailers = HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("x"))]);
        let frames = [data("ab"), data(""), data("cde"), Ok(Frame::trailers(trailers.clone()))];
        let mut body = read(sent(frames, false), 5, &room).await.unwrap();
        assert_eq!((room.available_permits(), body.size_hint().exact()), (5, Some(5)));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "abcde");
        assert_eq!((room.available_permits(), body.is_end_stream()), (10, false));
        assert_eq!(body.frame().await.unwrap().unwrap().into_trailers().unwrap(), trailers);
        assert!(body.is_end_stream() && body.frame().await.is_none());
    }

    #[tokio::test]
    async fn of_a_longer_body_no_more_is_read_than_shows_that_it_is() {
        let mut body = read(sent([data("abc"), data("def"), data("ghi")], true), 5, &room()).await.unwrap();
        for frame in ["abcdef", "ghi"] {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), frame);
        }
        assert!(body.frame().await.is_none());
    }

    #[tokio::test]
    async fn an_empty_body_is_at_its_end() {
        let room = Arc::new(Semaphore::new(0));
        let body = read(sent([], true), 5, &room).await.unwrap();
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_and_one_without_room_are_none() {
        let room = room();
        let broken = sent([data("a"), Err(BodyError::HttpProtocolError)], true);
        assert!(matches!(read(broken, 5, &room).await, Err(ReadError::Body(BodyError::HttpProtocolError))));
        let large = sent([data("abcdef"), data("ghijk")], true);
        assert!(matches!(read(large, 20, &room).await, Err(ReadError::NoRoom)));
        assert_eq!(room.available_permits(), 10, "what was not handed on takes no room");
    }
}
