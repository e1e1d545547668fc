using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Imaging;

/// <summary>RAW files are refused with what makes a picture of them and the operator that fits it.</summary>
public sealed class CameraRawTests : PictureFixture
{
    [Theory]
    [InlineData("photo.dng", "dcraw -D -4 -T photo.dng", "-A bayer:pattern=gbrg --range 64..4095")]
    [InlineData("scan.tif", "dcraw -D -4 -T scan.tif", "-A bayer:pattern=gbrg --range 64..4095")]
    public void A_DNG_file_says_its_own_pattern_and_levels(string name, string command, string spec)
    {
        WriteDng(At(name), dng: true);
        ImageException refusal = Assert.Throws<ImageException>(() => ImageFile.Read(At(name)));
        Assert.Contains(command, refusal.Remedy);
        Assert.Contains("rawpy", refusal.Remedy);
        Assert.Contains(spec, refusal.Remedy);
    }

    [Fact]
    public void Other_cameras_files_are_known_by_name_or_first_bytes()
    {
        WriteDng(At("photo.nef"), dng: false);
        Assert.Contains("pattern=gbrg", Assert.Throws<ImageException>(() => ImageFile.Read(At("photo.nef"))).Remedy);
        foreach (
            (string name, byte[] head) in ((string, byte[])[])
                [
                    ("a.raf", [.. "FUJIFILMCCD-RAW 0201"u8, .. new byte[100]]),
                    ("a.cr3", [0, 0, 0, 24, .. "ftypcrx "u8, .. new byte[100]]),
                    ("a.orf", [.. "IIRO"u8, .. new byte[100]]),
                    ("a.rw2", [.. "IIU\0"u8, .. new byte[100]]),
                ]
        )
        {
            File.WriteAllBytes(At(name), head);
            ImageException refusal = Assert.Throws<ImageException>(() => ImageFile.Read(At(name)));
            Assert.Contains($"dcraw -D -4 -T {name}", refusal.Remedy);
            Assert.Contains(name == "a.raf" ? "pattern=xtrans" : "pattern=PATTERN", refusal.Remedy);
        }
    }

    [Fact]
    public void A_TIFF_picture_is_none()
    {
        ImageFile.Write(At("a.tif"), Ramp(1, 9, 14), new WriteOptions { BitDepth = 16 });
        using Picture picture = ImageFile.Read(At("a.tif"));
        Assert.Equal((9, 14), (picture.Height, picture.Width));
    }

    // A directory that names an inner one with the mosaic: the least that cameras write.
    private static void WriteDng(string path, bool dng)
    {
        using BinaryWriter writer = new(File.Create(path));
        writer.Write("II*\0"u8);
        writer.Write(8);
        const ushort Byte = 1,
            Short = 3,
            Long = 4;
        void Entry(ushort tag, ushort type, int count, uint value)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(count);
            writer.Write(value);
        }
        int entries = dng ? 4 : 3,
            inner = 8 + 2 + 12 * entries + 4;
        writer.Write((ushort)entries);
        Entry(256, Short, 1, 1);
        Entry(257, Short, 1, 1);
        Entry(330, Long, 1, (uint)inner);
        if (dng)
            Entry(50706, Byte, 4, 0x0401);
        writer.Write(0);
        writer.Write((ushort)6);
        Entry(256, Short, 1, 1);
        Entry(257, Short, 1, 1);
        Entry(33421, Short, 2, 0x00020002);
        Entry(33422, Byte, 4, 0x01000201); // green blue / red green
        Entry(50714, Short, 1, 64);
        Entry(50717, Short, 1, 4095);
        writer.Write(0);
    }
}
