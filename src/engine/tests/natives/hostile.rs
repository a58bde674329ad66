//! Natives that would take memory or time out of proportion end the run instead.
