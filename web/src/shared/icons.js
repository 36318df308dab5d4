/** Paths of the icons, on a 24 by 24 grid. */
export const CHAT = "M21 11.5a8.5 8 0 0 1-8.5 8H4l1.8-3.200A8 8 0 1 1 21 11.5ZM8.5 11.5h.01M12.5 11.5h.01M16.5 11.5h.01";
export const CLOSE = "M6 6l12 12M18 6 6 18";
export const DOWN = "M6 9l6 6 6-6";
export const SEND = "M12 19V5M5.5 11.5 12 5l6.5 6.5";
export const STOP = "M8 8h8v8H8Z";
export const RENEW = "M20 11a8 8 0 0 0-14-4.5L4 9M4 4v5h5M4 13a8 8 0 0 0 14 4.5l2-2.5M20 20v-5h-5";
export const CHECK = "M5 12.5l4.5 4.5L19 7.5";
