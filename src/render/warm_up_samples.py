#!/usr/bin/python3
"""Writes warm_up_samples.cc: the pictures that render workers warm up with.

Needs libvips with all of its encoders (Debian's libvips42), which it calls through ctypes; the result is
checked in, so that nobody else does. Each format comes tiny and large: the large ones make decoders start
their threads and take memory the way that real pictures do.

    src/render/warm_up_samples.py > src/render/warm_up_samples.cc
"""

import ctypes
import sys

vips = ctypes.CDLL("libvips.so.42")
vips.vips_init(b"warm_up_samples.py")
vips.vips_error_buffer.restype = ctypes.c_char_p
vips.vips_image_new_from_memory_copy.restype = ctypes.c_void_p
vips.vips_image_new_from_memory_copy.argtypes = [ctypes.c_char_p, ctypes.c_size_t] + 4 * [ctypes.c_int]
vips.vips_copy.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
vips.vips_image_write_to_buffer.argtypes = [
    ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_size_t)]

GRAY, SRGB = 1, 22  # VipsInterpretation


def picture(width, height, bands):
    """Flat but for one corner: small in every format, and no codec takes a short cut for one colour."""
    flat = bytes([200, 100, 50, 128][:bands])
    rows = bytearray(flat * (width * height))
    for y in range(4):
        start = y * width * bands
        rows[start:start + 4 * bands] = bytes(range(10 * y, 10 * y + 4 * bands))
    image = vips.vips_image_new_from_memory_copy(bytes(rows), len(rows), width, height, bands, 0)
    typed = ctypes.c_void_p()
    interpretation = SRGB if bands > 2 else GRAY
    assert vips.vips_copy(image, ctypes.byref(typed), ctypes.c_char_p(b"interpretation"),
                          ctypes.c_int(interpretation), None) == 0
    return typed


def encode(image, suffix):
    data, size = ctypes.c_void_p(), ctypes.c_size_t()
    if vips.vips_image_write_to_buffer(image, suffix.encode(), ctypes.byref(data), ctypes.byref(size), None):
        sys.exit(f"{suffix}: {vips.vips_error_buffer().decode()}")
    return ctypes.string_at(data, size.value)


# Name in the C++ enum image::Format, libvips' save options, sizes, bands.
SAMPLES = [
    ("png", ".png", (8, 320), 4),
    ("jpeg", ".jpg[optimize-coding,Q=60,strip]", (8, 320), 3),
    ("jpeg", ".jpg[optimize-coding,interlace,strip]", (8,), 3),
    ("gif", ".gif", (8, 320), 3),
    ("webp", ".webp[strip]", (8, 320), 3),
    ("webp", ".webp[lossless,strip]", (8, 320), 4),
    ("tiff", ".tif[compression=zstd,strip]", (8, 320), 3),
    ("tiff", ".tif[compression=lzw,predictor=horizontal,strip]", (8,), 4),
    ("tiff", ".tif[compression=jpeg,strip]", (8,), 3),
    ("heif", ".heic[compression=hevc,strip]", (64, 320), 3),
    ("avif", ".avif[strip,effort=0]", (64, 320), 4),
    ("jxl", ".jxl[strip]", (8, 320), 3),
    ("jp2", ".jp2[strip]", (8, 320), 3),
]


def main():
    print("// Made by warm_up_samples.py; not to be edited.\n")
    print('#include "render/warm_up_samples.h"\n')
    print("namespace pixmilter::render {\nnamespace {\n")
    print("using image::Format;\nusing namespace std::string_view_literals;\n")
    print("// clang-format off")
    print("constexpr WarmUpSample kSamples[] = {")
    for name, suffix, sides, bands in SAMPLES:
        for side in sides:
            data = encode(picture(side, side, bands), suffix)
            print(f"    // {suffix} {side}x{side}x{bands}, {len(data)} bytes")
            print(f"    {{Format::{name},")
            for at in range(0, len(data), 24):
                print('     "' + "".join(f"\\{byte:03o}" for byte in data[at:at + 24]) + '"')
            print('     ""sv},')
    print("};\n// clang-format on\n")
    print("}  // namespace\n")
    print("std::span<const WarmUpSample> warm_up_samples() { return kSamples; }\n")
    print("}  // namespace pixmilter::render")


if __name__ == "__main__":
    main()
