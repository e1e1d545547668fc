using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.EndToEnd;

/// <summary>Noise that is not equal everywhere, through the built command.</summary>
public sealed class NoiseTests : IDisposable
{
    private readonly Workspace _workspace = new();
    private readonly ComputeScope _scope = new();

    public void Dispose()
    {
        _scope.Dispose();
        _workspace.Dispose();
    }

    private Outcome Run(params string[] args) => DiffusionCommand.Run(_workspace.Folder, args);

    private double Psnr(params string[] args)
    {
        string output = Run(["restore", "y.tif", .. args, "-n", "4", "-o", "o.png", "--reference", "photo.tif", "--json", "--force"])
            .Expect(0)
            .Output;
        return (double)JsonNode.Parse(output)!["metrics"]!["psnr"]!;
    }

    private static Tensor Normal(ulong seed, params long[] shape) => new PhiloxNoise(seed, [default]).Draw(NoiseRole.Measurement, shape);

    private void Write(string name, Tensor values)
    {
        using Picture picture = new(values.clone()) { BitDepth = 32, FullScale = 1 };
        ImageFile.Write(_workspace[name], picture);
    }

    [Theory]
    [InlineData("identity")]
    [InlineData("blur:sigma=1")]
    public void A_map_says_how_noisy_each_value_is(string spec)
    {
        const int Side = 96;
        using Picture photo = TestPictures.Crop(Side, Side);
        using LinearOperator a = Operators.ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, Side, Side));
        Tensor left = torch.arange(Side).lt(Side / 2).to(ScalarType.Float32).expand(1, 1, Side, Side),
            map = 0.01f + 0.09f * left,
            noisy = a.Apply(photo.Pixels) + map * Normal(1, 1, 3, Side, Side);
        Write("photo.tif", photo.Pixels);
        Write("y.tif", noisy);
        Write("map.tif", map);
        Write("reversed.tif", 0.11f - map);
        double mapped = Psnr("-A", spec, "--noise-map", "map.tif"),
            level = Psnr("-A", spec, "--noise", "0.055"),
            reversed = Psnr("-A", spec, "--noise-map", "reversed.tif");
        Assert.True(mapped > level + 1, $"{mapped:0.00} with the map, {level:0.00} without");
        Assert.True(mapped > reversed + 2, $"{mapped:0.00} with the map, {reversed:0.00} with its reverse");

        Write("small.tif", map.narrow(2, 0, 50));
        Run("restore", "y.tif", "-A", spec, "--noise-map", "small.tif", "-o", "s.png").ExpectError(1, "50x96", "small.tif");
        Write("zero.tif", map - 0.01f);
        Run("restore", "y.tif", "-A", spec, "--noise-map", "zero.tif", "-o", "s.png").ExpectError(1, "greater than 0", "zero.tif");
    }

    [Fact]
    public void In_counts_of_the_file_a_map_is_in_counts_too()
    {
        const int Side = 64;
        using Picture photo = TestPictures.Crop(Side, Side, gray: true);
        Tensor left = torch.arange(Side).lt(Side / 2).to(ScalarType.Float32).expand(1, 1, Side, Side),
            map = 0.01f + 0.09f * left;
        Tensor y = photo.Pixels + map * Normal(1, 1, 1, Side, Side);
        Write("photo.tif", photo.Pixels);
        Write("y.tif", y);
        Write("map.tif", map);
        double unit = Psnr("-A", "identity", "--noise-map", "map.tif");
        Write("photo.tif", 100 + 4000 * photo.Pixels);
        Write("y.tif", 100 + 4000 * y);
        Write("map.tif", 4000 * map);
        Assert.Equal(unit, Psnr("-A", "identity", "--noise-map", "map.tif", "--range", "100..4100"), 0.05);
    }

    [Fact]
    public void The_shot_noise_of_a_mosaic_is_found()
    {
        using Picture photo = ImageFile.Read(Path.Combine(DiffusionCommand.DemoPhotos, "coffee.png"));
        ImageFile.Write(_workspace["photo.tif"], photo);
        Run("degrade", "photo.tif", "-A", "bayer", "--noise", "poisson:gain=0.004,read=0.01", "-o", "y.tif").Expect(0);
        double told = Psnr("-A", "bayer", "--noise", "poisson:gain=0.004,read=0.01"),
            found = Psnr("-A", "bayer", "--noise", "auto-poisson"),
            level = Psnr("-A", "bayer", "--noise", "auto");
        Assert.Equal(told, found, 0.3);
        Assert.True(found > level, $"{found:0.00} found, {level:0.00} as if it were equal everywhere");
    }
}
