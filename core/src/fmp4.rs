//! FLV tags to fragmented MP4 (ISO/IEC 14496-12), for Media Source Extensions.
