using System.IO.Compression;
using System.Text;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Restoration;

public sealed class MeasurementFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("measurements ").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Path(string name) => System.IO.Path.Combine(_folder, name);

    private static Picture Photo()
    {
        using ComputeScope scope = new();
        return new Picture((0.5 + 0.2 * new PhiloxNoise(3, [default]).Draw(NoiseRole.Start, 1, 3, 16, 20)).clamp(0, 1)) { Name = "photo" };
    }

    [Theory]
    [InlineData("blur:sigma=1", "y.tif")]
    [InlineData("mask:random=0.5,seed=3", "y.tif")]
    [InlineData("hadamard:ratio=0.5", "y.npz")]
    public void A_measurement_comes_back_bit_for_bit(string spec, string file)
    {
        using Picture photo = Photo();
        using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse(spec), 0.1, seed: 5).Degrade(photo, "abc");
        MeasurementFile.Write(Path(file), degraded);
        using Measurement back = Measurement.Open(Path(file));
        Assert.True(back.Y.eq(degraded.Measurement.Y).all().item<bool>());
        Assert.Equal(spec, back.Side!.Operator);
        Assert.Equal(0.1, back.Side.Noise);
        Assert.Equal(5UL, back.Side.Seed);
        Assert.Equal("abc", back.Side.InputSha256);
        Assert.Equal(new ImageShape(3, 16, 20), back.Clean);
    }

    [Fact]
    public void A_mask_lies_beside_and_is_what_was_used()
    {
        using Picture photo = Photo();
        using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse("mask:random=0.7,seed=2"), 0).Degrade(photo);
        MeasurementFile.Write(Path("y.png"), degraded);
        using LinearOperator fromFile = new Mask { File = Path("y.mask.png") }.Bind(new ImageShape(3, 16, 20));
        using Tensor again = fromFile.Apply(photo.Pixels);
        Assert.True(again.eq(degraded.Measurement.Y).all().item<bool>());
    }

    [Fact]
    public void Noise_depends_on_the_name_and_the_seed_and_on_nothing_else()
    {
        using Picture photo = Photo();
        OperatorSpec spec = ShippedOperators.Catalog.Parse("identity");
        using Measurement a = new Degrader(spec, 0.1, 1).Degrade(photo).Measurement,
            b = new Degrader(spec, 0.1, 1).Degrade(photo).Measurement,
            c = new Degrader(spec, 0.1, 2).Degrade(photo).Measurement;
        Assert.True(a.Y.eq(b.Y).all().item<bool>());
        Assert.False(a.Y.eq(c.Y).all().item<bool>());
        Assert.Equal(0.1, (a.Y - photo.Pixels).std().item<float>(), 0.01);
    }

    [Fact]
    public void A_picture_that_does_not_divide_is_cropped_when_asked()
    {
        using Picture photo = Photo();
        using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse("downsample:factor=3"), 0)
        {
            CropToFit = true,
        }.Degrade(photo);
        Assert.Equal([1, 3, 5, 6], degraded.Measurement.Y.shape);
        Assert.Throws<OperatorSpecException>(() => new Degrader(ShippedOperators.Catalog.Parse("downsample:factor=3"), 0).Degrade(photo));
    }

    [Fact]
    public void A_mask_of_another_size_is_resized_when_asked()
    {
        using Tensor half = torch.cat([torch.zeros(1, 1, 8, 5), torch.ones(1, 1, 8, 5)], 3);
        ImageFile.Write(Path("mask.png"), half);
        OperatorSpec spec = new Mask { File = Path("mask.png") };
        ImageShape shape = new(3, 16, 20);
        Assert.Contains("--resize-mask", Assert.Throws<OperatorSpecException>(() => spec.Bind(shape)).Message);
        using LinearOperator a = ResizedMask.Allow(spec).Bind(shape);
        Assert.Equal(16 * 10 * 3, a.MeasurementCount);
    }

    [Theory]
    [InlineData("not a zip")]
    [InlineData("")]
    public void A_file_that_is_no_npz_is_one_error(string content)
    {
        File.WriteAllText(Path("y.npz"), content);
        Assert.Throws<ImageException>(() => Measurement.Open(Path("y.npz")));
    }

    [Theory]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", "shorter than its array")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "shorter than its array")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "impossible")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "shape is not understood")]
    public void A_hostile_array_is_one_error(string header, string words)
    {
        using (ZipArchive zip = ZipFile.Open(Path("y.npz"), ZipArchiveMode.Create))
        {
            using Stream entry = zip.CreateEntry("y.npy").Open();
            entry.Write([0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, (byte)header.Length, 0]);
            entry.Write(Encoding.ASCII.GetBytes(header));
            entry.Write(new byte[8]);
        }
        Assert.Contains(words, Assert.Throws<ImageException>(() => Measurement.Open(Path("y.npz"))).Message);
    }

    [Theory]
    [InlineData("{\"version\":99,\"operator\":\"identity\",\"noise\":0,\"input_size\":[3,1,1],\"output_size\":[3,1,1]}", "newer")]
    [InlineData("{\"version\":1,\"operator\":\"identity\",\"noise\":-1,\"input_size\":[3,1,1],\"output_size\":[3,1,1]}", "impossible")]
    [InlineData("{\"version\":1,\"operator\":", "damaged")]
    public void A_side_file_that_cannot_be_used_says_so(string text, string words)
    {
        File.WriteAllText(Path("y.json"), text);
        Assert.Contains(words, Assert.ThrowsAny<DiffusionException>(() => SideFile.Find(Path("y.png"))).Message);
    }

    [Fact]
    public void A_side_file_belongs_to_one_file_whatever_their_names()
    {
        byte[] measured = [1, 2, 3];
        File.WriteAllBytes(Path("y.png"), measured);
        File.WriteAllBytes(Path("y.tif"), [4, 5, 6]);
        string Text(string hash) =>
            "{\"version\":1,\"operator\":\"identity\",\"noise\":0,\"input_size\":[3,1,1],\"output_size\":[3,1,1]" + hash + "}";
        File.WriteAllText(Path("y.json"), Text(""));
        Assert.NotNull(SideFile.Find(Path("y.png")));
        Assert.NotNull(SideFile.Find(Path("y.tif")));
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(measured));
        File.WriteAllText(Path("y.json"), Text($",\"measurement\":\"y.png\",\"measurement_sha256\":\"{hash}\""));
        Assert.NotNull(SideFile.Find(Path("y.png")));
        Assert.Null(SideFile.Find(Path("y.tif")));
    }

    [Fact]
    public void A_foreign_json_file_is_no_side_file()
    {
        File.WriteAllText(Path("y.json"), "{\"camera\": \"X100\"}");
        Assert.Null(SideFile.Find(Path("y.png")));
    }
}
