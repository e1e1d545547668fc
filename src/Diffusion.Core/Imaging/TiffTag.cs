namespace Diffusion.Imaging;

/// <summary>The tags that decide how a TIFF page is read.</summary>
internal enum TiffTag : ushort
{
    Width = 256,
    Height = 257,
    BitsPerSample = 258,
    Compression = 259,
    Photometric = 262,
    FillOrder = 266,
    StripOffsets = 273,
    Orientation = 274,
    SamplesPerPixel = 277,
    RowsPerStrip = 278,
    StripByteCounts = 279,
    PlanarConfiguration = 284,
    Predictor = 317,
    ColorMap = 320,
    TileWidth = 322,
    TileHeight = 323,
    TileOffsets = 324,
    TileByteCounts = 325,
    SubDirectories = 330,
    ExtraSamples = 338,
    SampleFormat = 339,
    YCbCrSubsampling = 530,
    CfaRepeatPatternDim = 33421,
    CfaPattern = 33422,
    IccProfile = 34675,
    DngVersion = 50706,
    BlackLevel = 50714,
    WhiteLevel = 50717,
}
