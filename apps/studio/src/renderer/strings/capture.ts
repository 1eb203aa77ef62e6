/** Words about sources that cannot be seen or heard, each with what to do. */
export const strings = {
  problems: {
    denied:
      "The browser was told not to let the studio use this. Allow it in the address bar or the system's privacy settings.",
    revoked:
      "Permission was taken back. Allow it again in the address bar or the system's privacy settings: it comes back by itself.",
    not_found: "There is no such device. Plug it in, or choose another.",
    unplugged: "The device was unplugged. Plug it in again: it comes back by itself.",
    in_use: "Another program holds the device. Close that program: it is tried again every few seconds.",
    no_picture:
      "The camera is on and sends no picture. Look for a cover or switch on it, or plug it in anew: it is opened again by itself.",
    mode: "The device has no picture of the size or rate that is asked for. Choose another.",
    not_picked: "Nothing is chosen to be shared yet. Choose a screen, window or tab.",
    picker_closed: "Nothing was chosen to be shared. Choose a screen, window or tab.",
    sharing_ended: "Sharing has ended. Choose again what to share.",
    missing_file: "The file is not there any more. Choose it again.",
    unreadable_file: "The file cannot be opened. Choose one of another format.",
    no_guest: "Nobody sits in this seat. Put a guest on stage from the Guests panel.",
    insecure:
      "Browsers give out cameras and microphones on secure addresses only. Open the studio by https, or on this computer.",
    stream_unreachable:
      "Nobody answers at this address. Check it, and that the camera or sender is switched on: it is tried again by itself.",
    stream_silent: "Nothing comes from this address. Check the camera or sender: it is tried again by itself.",
    stream_missing:
      "There is nothing of this name at the address. Check the part after the server, or the device: it is tried again by itself.",
    stream_refused: "It wants another user name or password. Enter both, then try again.",
    stream_forbidden:
      "The studio may not open this. Check who may use it at its server, or in the system's privacy settings.",
    stream_unreadable: "What comes from there is no picture or sound that can be shown. Check what is sent.",
    stream_address:
      "The studio does not open addresses of this kind. They begin with rtsp://, srt://, rtmp://, http:// or udp://.",
    engine_only:
      "A browser cannot open this. It takes the Klieg app, or a capture box, with an FFmpeg on its machine that can.",
    unknown: "This cannot be opened.",
  },
} as const;
