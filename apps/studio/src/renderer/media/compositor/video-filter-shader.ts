const HEAD = `#version 300 es
precision highp float;
uniform sampler2D picture;
in vec2 at;
out vec4 colour;
`;

/** Takes out what is near a colour by its chroma (BT.709), and the reflection of it from what stays. */
export const CHROMA_KEY_FRAGMENT = `${HEAD}
uniform vec3 key;
uniform float similarity, smoothness, spill;
vec2 chroma(vec3 rgb) {
  return vec2(dot(rgb, vec3(-0.1146, -0.3854, 0.5)), dot(rgb, vec3(0.5, -0.4542, -0.0458)));
}
void main() {
  vec4 pixel = texture(picture, at);
  vec3 rgb = pixel.a > 0.0 ? pixel.rgb / pixel.a : vec3(0.0);
  float beyond = distance(chroma(rgb), chroma(key)) - similarity;
  float kept = pow(clamp(beyond / max(smoothness, 0.0001), 0.0, 1.0), 1.5);
  float own = pow(clamp(beyond / max(spill, 0.0001), 0.0, 1.0), 1.5);
  rgb = mix(vec3(dot(rgb, vec3(0.2126, 0.7152, 0.0722))), rgb, own);
  float alpha = pixel.a * kept;
  colour = vec4(rgb * alpha, alpha);
}`;

/** Gamma, contrast about the middle grey, brightness, saturation and hue, in this order. */
export const COLOUR_FRAGMENT = `${HEAD}
uniform float gamma, contrast, brightness, saturation, hue;
const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);
void main() {
  vec4 pixel = texture(picture, at);
  vec3 rgb = pixel.a > 0.0 ? pixel.rgb / pixel.a : vec3(0.0);
  rgb = pow(rgb, vec3(1.0 / gamma));
  rgb = (rgb - 0.5) * contrast + 0.5 + brightness;
  rgb = mix(vec3(dot(rgb, LUMA)), rgb, saturation);
  // About the grey axis (Rodrigues), so that greys stay what they are.
  vec3 axis = vec3(0.57735);
  rgb = rgb * cos(hue) + cross(axis, rgb) * sin(hue) + axis * dot(axis, rgb) * (1.0 - cos(hue));
  colour = vec4(clamp(rgb, 0.0, 1.0) * pixel.a, pixel.a);
}`;

/** Taps on either side of the middle one that {@link BLUR_FRAGMENT} takes at most. */
export const BLUR_TAPS = 12;

/** One direction of a Gaussian. */
export const BLUR_FRAGMENT = `${HEAD}
uniform vec2 pace;
uniform float weights[${BLUR_TAPS + 1}];
void main() {
  vec4 sum = texture(picture, at) * weights[0];
  for (int i = 1; i <= ${BLUR_TAPS}; i += 1) {
    vec2 away = pace * float(i);
    sum += (texture(picture, at + away) + texture(picture, at - away)) * weights[i];
  }
  colour = sum;
}`;

/** As it is: to make a picture smaller before it is blurred. */
export const COPY_FRAGMENT = `${HEAD}
void main() {
  colour = texture(picture, at);
}`;

const MASK = `
uniform sampler2D mask;
float person() {
  return smoothstep(0.3, 0.7, texture(mask, at).r);
}
`;

/** Only people: what is behind them is taken out. */
export const PERSON_FRAGMENT = `${HEAD}${MASK}
void main() {
  colour = texture(picture, at) * person();
}`;

/** Only what is behind people, with as much alpha as is seen of it: so nobody's colours get into it when it is blurred. */
export const BEHIND_FRAGMENT = `${HEAD}${MASK}
void main() {
  colour = texture(picture, at) * (1.0 - person());
}`;

/** People over what is behind them, which was blurred; deep inside of people there is nothing of it. */
export const PERSON_OVER_FRAGMENT = `${HEAD}${MASK}
uniform sampler2D behind;
void main() {
  vec4 pixel = texture(picture, at);
  vec4 blurred = texture(behind, at);
  vec4 filled = blurred.a > 0.004 ? blurred * (pixel.a / blurred.a) : pixel;
  colour = mix(filled, pixel, person());
}`;
