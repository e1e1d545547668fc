"""Writes random picture files, and beside each what Pillow or tifffile read from it: NAME.npy, float64 [rows, columns, channels], on [0,1]
where samples are integers. A file that neither reads without extra codecs has no such array. Prints one name a line, with the tolerance."""
import io, struct, sys, zlib
import numpy as np, tifffile
from PIL import Image, ImageCms
from astropy.io import fits

folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(seed)
pick = lambda *choices: choices[rng.integers(len(choices))]


def values(dtype, shape):
    dtype = np.dtype(dtype)
    if dtype.kind in 'ui':
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    return rng.random(shape) < 0.5 if dtype.kind == 'b' else rng.random(shape).astype(dtype)


def scaled(a):
    a = a[..., None] if a.ndim == 2 else a
    return a.astype('f8') / np.iinfo(a.dtype).max if a.dtype.kind in 'ui' else a.astype('f8')


def smooth(h, w, c):
    y, x = np.mgrid[0:h, 0:w]
    a = np.stack([120 + 80 * np.sin(x / (9.0 + k)) + 40 * np.cos(y / (11.0 - k)) for k in range(c)], -1)
    return np.clip(a, 0, 255).astype('u1')


def tiff(path):
    dtype = pick('u1', 'u1', 'u2', 'u2', 'u4', 'u8', 'i1', 'i2', 'i4', 'i8', 'f2', 'f4', 'f8', '?')
    c = 1 if dtype == '?' else pick(1, 1, 2, 3, 4, 5)
    h, w = int(rng.integers(1, 70)), int(rng.integers(1, 70))
    a = values(dtype, (h, w, c) if c > 1 else (h, w))
    expected = scaled(a)
    kw = dict(byteorder=pick('<', '>'), compression=None if dtype == '?' else pick(None, 'zlib', 'lzma'), bigtiff=pick(False, False, True))
    kw['photometric'] = 'rgb' if c in (3, 4) else 'minisblack'
    if c == 1 and np.dtype(dtype).kind == 'u' and rng.random() < 0.2:
        kw['photometric'], expected = 'miniswhite', 1 - expected
    if c == 1 and dtype in ('u1', 'u2') and rng.random() < 0.1:
        kw['photometric'], kw['colormap'] = 'palette', values('u2', (3, 2 ** (8 * np.dtype(dtype).itemsize)))
        expected = kw['colormap'].T[a].astype('f8') / 65535
        kw['compression'] = None
    if c == 4 or c == 2:
        kw['extrasamples'] = [pick('unassalpha', 'unspecified')]
    if c > 1 and rng.random() < 0.4:
        kw['planarconfig'], a = 'separate', np.ascontiguousarray(np.moveaxis(a, -1, 0))
    elif c > 1:
        kw['planarconfig'] = 'contig'
    if dtype != '?' and rng.random() < 0.4:
        kw['tile'] = (16 * int(rng.integers(1, 4)), 16 * int(rng.integers(1, 4)))
    elif rng.random() < 0.7:
        kw['rowsperstrip'] = int(rng.integers(1, h + 1))
    if kw['compression'] in ('zlib', 'lzma') and np.dtype(dtype).kind in 'ui' and rng.random() < 0.4:
        kw['predictor'] = True
    try:
        tifffile.imwrite(path, a, **kw)
    except ValueError:  # a predictor or layout that this tifffile doesn't write
        kw['predictor'] = False
        tifffile.imwrite(path, a, **kw)
    read = tifffile.imread(path)
    assert read.dtype.kind == a.dtype.kind and np.array_equal(read.reshape(a.shape), a), path
    return expected, 0


def packed(path):
    """Samples of 2 to 31 bits, most significant bit first, rows from bytes on; uncompressed gray strips."""
    bits, h, w = int(pick(2, 4, 6, 9, 10, 12, 12, 14, 24)), int(rng.integers(1, 40)), int(rng.integers(1, 40))
    a = rng.integers(0, 2**bits, (h, w))
    order = pick('<', '>')
    if bits == 24:
        rows = b''.join(int(v).to_bytes(3, 'little' if order == '<' else 'big') for v in a.ravel())
    else:
        rows = b''.join(np.packbits(np.array([[(v >> b) & 1 for b in range(bits - 1, -1, -1)] for v in row], 'u1').ravel()).tobytes() for row in a)
    tags = [(256, 3, w), (257, 3, h), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, h), (279, 4, len(rows))]
    ifd = struct.pack(order + 'H', len(tags))
    for tag, kind, value in tags:
        ifd += struct.pack(order + 'HHI', tag, kind, 1) + (struct.pack(order + 'HH', value, 0) if kind == 3 else struct.pack(order + 'I', value))
    rows += b'\0' * (len(rows) % 2)
    open(path, 'wb').write((b'II*\0' if order == '<' else b'MM\0*') + struct.pack(order + 'I', 8 + len(rows)) + rows + ifd + b'\0' * 4)
    return (a / (2**bits - 1))[..., None], 0


def pillow(path, kind):
    mode = {
        'tif': ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'I;16', 'I;16B', 'I', 'F', 'YCbCr', 'LAB'),
        'png': ('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16'),
        'jpg': ('L', 'RGB', 'CMYK'),
        'webp': ('RGB', 'RGBA'),
    }[kind]
    mode = mode[rng.integers(len(mode))]
    h, w = int(rng.integers(8, 70)), int(rng.integers(8, 70))
    options, tolerance = {}, 0
    if mode == '1':
        image = Image.fromarray(values('?', (h, w)))
    elif mode in ('I;16', 'I;16B', 'I', 'F'):
        kinds = {'I;16': '<u2', 'I;16B': '>u2', 'I': 'i4', 'F': 'f4'}
        image = Image.fromarray(values(kinds[mode][-2:], (h, w)).astype(kinds[mode]))
    elif mode == 'P':
        image = Image.fromarray(smooth(h, w, 3)).quantize(int(pick(2, 4, 16, 200)))
    elif mode == 'LAB':
        srgb, lab = ImageCms.createProfile('sRGB'), ImageCms.createProfile('LAB')
        image = ImageCms.profileToProfile(Image.fromarray(smooth(h, w, 3)), srgb, lab, outputMode='LAB')
    else:
        image = Image.fromarray(smooth(h, w, 4)).convert('RGB').convert(mode) if mode in ('CMYK', 'YCbCr') else Image.fromarray(
            smooth(h, w, len(mode)) if len(mode) > 1 else smooth(h, w, 1)[..., 0], mode)
    if kind == 'tif':
        fax = ('tiff_ccitt', 'group3', 'group4')
        options['compression'] = pick('raw', 'tiff_lzw', 'packbits', 'tiff_adobe_deflate', 'lzma', 'zstd', 'jpeg', 'webp', *fax)
        only = {'jpeg': ('L', 'RGB'), 'webp': ('RGB', 'RGBA'), **{name: ('1',) for name in fax}}
        if mode not in only.get(options['compression'], (mode,)):
            options['compression'] = 'tiff_lzw'
        if mode in ('YCbCr', 'LAB') and options['compression'] == 'jpeg':
            options['compression'] = 'raw'
        # Pillow makes 8 bits of colour maps and of YCbCr.
        tolerance = 6 / 255 if options['compression'] == 'jpeg' else 1 / 255 if mode in ('P', 'YCbCr') else 0
    if kind == 'jpg':
        options = dict(quality=95, progressive=bool(pick(0, 1)), subsampling=int(pick(0, 2)))
        tolerance = 6 / 255
    if kind == 'webp':
        options = dict(lossless=True, exact=True)
    image.save(path, **options)
    image = Image.open(path)
    image.load()
    if image.mode == 'P':
        image = image.convert('RGB')
    if image.mode == 'LAB':
        return scaled(np.asarray(ImageCms.profileToProfile(image, lab, srgb, outputMode='RGB'))), 0.04  # littlecms looks up a coarse table
    if image.mode in ('CMYK', 'YCbCr'):
        # Profiles and conversions differ from program to program.
        return scaled(np.asarray(image.convert('RGB'))), 0.25 if image.mode == 'CMYK' else 6 / 255
    a = np.asarray(image)
    if kind == 'png' and mode == 'I;16':
        a = a.astype('u2')
    return scaled(a), tolerance


def png(path):
    """All depths and colour types of PNG, with and without the seven passes of Adam, a transparent colour, and its own filters."""
    depth, kind = ((1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (2, 3), (4, 3), (8, 3), (8, 4), (16, 4), (8, 6), (16, 6))[
        rng.integers(15)]
    channels, h, w, passes = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind], int(rng.integers(1, 40)), int(rng.integers(1, 40)), bool(rng.integers(2))
    a = rng.integers(0, 2**depth, (h, w, channels))

    def rows(part):
        for row in part:
            flat = row.ravel()
            if depth == 16: data = flat.astype('>u2').tobytes()
            else: data = np.packbits(np.array([[(v >> b) & 1 for b in range(depth - 1, -1, -1)] for v in flat], 'u1').ravel()).tobytes()
            step = max(1, channels * depth // 8)
            if rng.random() < 0.5: yield b'\1' + bytes((data[i] - (data[i - step] if i >= step else 0)) % 256 for i in range(len(data)))
            else: yield b'\0' + data
    grids = ((0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)) if passes else ((0, 1, 0, 1),)
    parts = [a[top::down, left::across] for top, down, left, across in grids]
    body = b''.join(b''.join(rows(part)) for part in parts if part.size)
    chunk = lambda name, data: struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    palette = rng.integers(0, 256, (2**depth if depth < 16 else 1, 3)) if kind == 3 else None
    file = b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', w, h, depth, kind, 0, 0, passes))
    if kind == 3: file += chunk(b'PLTE', palette.astype('u1').tobytes())
    open(path, 'wb').write(file + chunk(b'IDAT', zlib.compress(body)) + chunk(b'IEND', b''))
    Image.open(path).load()
    return (palette[a[..., 0]] / 255 if kind == 3 else a / (2**depth - 1)), 0


def astronomy(path):
    a = values(pick('u1', 'i2', 'u2', 'i4', 'u4', 'i8', 'f4', 'f8'), (int(rng.integers(1, 50)), int(rng.integers(1, 50))))
    fits.writeto(path, a)
    read = fits.getdata(path)
    return scaled(read.astype(a.dtype) if a.dtype.kind != 'f' else read), 0


def foreign(path):
    Image.fromarray(smooth(20, 30, 3)).save(path)
    return None, 0


for i in range(count):
    kind = pick('tiff', 'tiff', 'tiff', 'tiff', 'packed', 'tif', 'tif', 'png', 'adam', 'jpg', 'webp', 'fits', 'other')
    name = f'{i:04d}_{kind}.' + {'tiff': 'tif', 'packed': 'tif', 'adam': 'png', 'other': pick('gif', 'bmp', 'ppm', 'jp2')}.get(kind, kind)
    path = f'{folder}/{name}'
    expected, tolerance = (
        tiff(path) if kind == 'tiff' else packed(path) if kind == 'packed' else png(path) if kind == 'adam' else astronomy(path) if kind == 'fits'
        else foreign(path) if kind == 'other' else pillow(path, kind)
    )
    if expected is not None:
        np.save(path + '.npy', expected)
    print(name, tolerance)
