using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Tests.Imaging;

namespace Diffusion.Tests.Operators;

/// <summary>Masks as people have them: white or black holes, in colours or in the alpha channel, pictures or arrays.</summary>
public sealed class MaskFileTests : PictureFixture
{
    private static readonly ImageShape Shape = new(1, 4, 6);

    // Known but for the two columns in the middle.
    private static Tensor Known => torch.tensor([1f, 1, 0, 0, 1, 1]).expand(1, 1, 4, 6).contiguous();

    [Fact]
    public void White_holes_are_inverted()
    {
        ImageFile.Write(At("m.png"), 1 - Known);
        AssertEqual(Known[0], new Mask { File = At("m.png"), Invert = true }.BuildMask(Shape));
        AssertEqual(1 - Known[0], new Mask { File = At("m.png") }.BuildMask(Shape));
        AssertEqual(
            1 - new Mask { Box = Region.Parse("2x2+1+1", null) }.BuildMask(Shape),
            new Mask { Box = Region.Parse("2x2+1+1", null), Invert = true }.BuildMask(Shape)
        );
    }

    [Theory]
    [InlineData(0f), InlineData(1f), InlineData(0.3f)]
    public void Alpha_is_taken_where_it_alone_has_a_shape(float color)
    {
        ImageFile.Write(At("m.png"), torch.full([1, 3, 4, 6], color), alpha: Known);
        Mask mask = new() { File = At("m.png") };
        AssertEqual(Known[0], mask.BuildMask(Shape));
        Assert.Contains("alpha", Assert.Single(mask.Notes()));
        Assert.Empty((mask with { Channel = MaskChannel.Alpha }).Notes());
        AssertEqual(torch.full_like(Known[0], color >= 0.5 ? 1 : 0), (mask with { Channel = MaskChannel.Luma }).BuildMask(Shape));
    }

    [Fact]
    public void Colours_with_a_shape_win_and_another_shape_of_alpha_is_said()
    {
        ImageFile.Write(At("m.png"), Known, alpha: torch.ones(1, 1, 4, 6));
        Assert.Empty(new Mask { File = At("m.png") }.Notes());
        ImageFile.Write(At("m.png"), Known, alpha: 1 - Known);
        Mask mask = new() { File = At("m.png") };
        AssertEqual(Known[0], mask.BuildMask(Shape));
        Assert.Contains("channel=alpha", Assert.Single(mask.Notes()));
        AssertEqual(1 - Known[0], (mask with { Channel = MaskChannel.Alpha }).BuildMask(Shape));
        ImageFile.Write(At("m.png"), Known);
        Assert.Contains(
            "no alpha",
            Assert.Throws<OperatorSpecException>(() => new Mask { File = At("m.png"), Channel = MaskChannel.Alpha }.BuildMask(Shape)).What
        );
    }

    [Theory]
    [
        InlineData("1 1 0 0 1 1\n"),
        InlineData("255 255 0 0 255 255\n"),
        InlineData("255 255 90 90 255 255\n"),
        InlineData("1 1 nan nan 1 1\n")
    ]
    public void Arrays_may_hold_ones_bytes_or_not_a_number(string row)
    {
        File.WriteAllText(At("m.txt"), string.Concat(Enumerable.Repeat(row, 4)));
        AssertEqual(Known[0], new Mask { File = At("m.txt") }.BuildMask(Shape));
    }

    [Theory]
    [InlineData("<f4"), InlineData(">f4"), InlineData("<f8"), InlineData("|u1"), InlineData("|b1"), InlineData("<i4")]
    public void Arrays_may_have_any_type(string type)
    {
        string header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': (4, 6), }}".PadRight(117) + "\n";
        IEnumerable<byte> values = Known.data<float>().SelectMany(value => Bytes(value, type));
        File.WriteAllBytes(At("m.npy"), [0x93, .. "NUMPY\x01\0"u8, 118, 0, .. System.Text.Encoding.ASCII.GetBytes(header), .. values]);
        AssertEqual(Known[0], new Mask { File = At("m.npy") }.BuildMask(Shape));
    }

    private static byte[] Bytes(float value, string type) =>
        type switch
        {
            "<f4" => BitConverter.GetBytes(value),
            ">f4" => [.. BitConverter.GetBytes(value).Reverse()],
            "<f8" => BitConverter.GetBytes((double)value),
            "<i4" => BitConverter.GetBytes((int)value),
            _ => [(byte)value],
        };

    [Fact]
    public void Another_size_is_refused_with_both_sizes()
    {
        File.WriteAllText(At("m.txt"), "1 0\n0 1\n");
        Assert.Contains(
            "2x2 but the picture is 4x6",
            Assert.Throws<OperatorSpecException>(() => new Mask { File = At("m.txt") }.BuildMask(Shape)).What
        );
    }
}
