using Diffusion.Checkpoints;
using Diffusion.Imaging;
using Diffusion.Metrics;

namespace Diffusion.Tests.Parity;

/// <summary>Family <c>metrics</c>: PSNR and SSIM in their published variants, NIQE, LPIPS.</summary>
public sealed class MetricsParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("metrics");

    [Theory, MemberData(nameof(Cases))]
    public void Measures_are_the_published_ones(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Text("picture", "images", "note");
        if (config.Has("net"))
            Perceptual(reference, config);
        else if (config.Has("pairs"))
            Pairs(reference, config);
        else
            Natural(reference, config);
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static void Pairs(ParityCase reference, ConfigNode config)
    {
        config.Text("y");
        ConfigNode ssim = config.Object("ssim");
        ssim.Text("C1", "C2");
        ssim.Only("valid_only", true);
        (int window, double sigma) = (ssim.Int("window"), ssim.Double("sigma"));
        foreach (ConfigNode pair in config.Objects("pairs"))
        {
            string name = pair.String("name");
            int border = pair.Int("border");
            Tensor a = Picture(reference.Input($"{name}.a")),
                b = Picture(reference.Input($"{name}.b")),
                y = Color.ToVideoLuma(a[0].to(ScalarType.Float64) * 255)[0];
            void Check(string output, double value) => reference.AssertOutput($"{name}.{output}", torch.tensor(new[] { value }));
            Check("psnr", Psnr.Compute(a, b, border));
            Check("ssim", Ssim.Compute(a, b, border, window: window, sigma: sigma));
            Check("psnr_y_uint8", Psnr.ComputeLuma(a, b, border));
            Check("ssim_y_uint8", Ssim.ComputeLuma(a, b, border, window: window, sigma: sigma));
            Check("psnr_y", Psnr.ComputeLuma(a, b, border, roundLuma: false));
            Check("ssim_y", Ssim.ComputeLuma(a, b, border, roundLuma: false, window: window, sigma: sigma));
            Check("psnr_cm4ir", Psnr.Compute(a, b, eightBit: false));
            Check("psnr_pt", Psnr.Compute(a, b, border, eightBit: false, epsilon: 1e-8));
            reference.AssertOutput($"{name}.y_uint8", y.round().to(ScalarType.Byte));
            reference.AssertOutput($"{name}.y", y);
        }
    }

    private static void Natural(ParityCase reference, ConfigNode config)
    {
        config.Text("parameters");
        Assert.Equal([Niqe.Block, Niqe.Block], config.Ints("block"));
        Assert.Equal([1, 2], config.Ints("scales"));
        bool rgb = config.OneOf("input", "rgb", "y") == "rgb";
        Tensor y = rgb ? Niqe.Luma(Picture(reference.Input("image"))) : reference.Input("y").to(ScalarType.Float64);
        Tensor features = Niqe.Features(y);
        reference.AssertOutput("features", features);
        reference.AssertOutput("mu", Niqe.MeanFeatures(features));
        reference.AssertOutput("niqe", torch.tensor(new[] { Niqe.Score(features) }));
        if (reference.Outputs.Contains("y"))
            reference.AssertOutput("y", y.to(ScalarType.Byte));
    }

    private static void Perceptual(ParityCase reference, ConfigNode config)
    {
        config.Text("version", "weights_dtype", "width_divisor");
        LpipsNet net = config.OneOf("net", "alex", "squeeze", "vgg") switch
        {
            "alex" => LpipsNet.Alex,
            "vgg" => LpipsNet.Vgg,
            _ => LpipsNet.Squeeze,
        };
        Assert.Equal([-0.030, -0.088, -0.188], config.Doubles("shift"));
        Assert.Equal([0.458, 0.448, 0.450], config.Doubles("scale"));
        config.Only("eps", 1e-10);
        using Lpips lpips = new(net, reference.Weights().Tensors.ToDictionary(entry => entry.Key, entry => entry.Value.Read()));
        Tensor a = reference.Input("a"),
            b = reference.Input("b");
        Tensor[] features = lpips.Features(a),
            layers = lpips.LayerDistances(a, b);
        int[] channels = config.Ints("channels");
        for (int k = 0; k < channels.Length; k++)
            Assert.Equal(channels[k], features[k].shape[1]);
        foreach (string output in reference.Outputs)
            reference.AssertOutput(
                output,
                output.Split('.') switch
                {
                    ["distance"] => layers.Aggregate((sum, layer) => sum + layer),
                    ["distance01"] => lpips.Distance((a + 1) / 2, (b + 1) / 2),
                    ["layer", var k] => layers[int.Parse(k)],
                    ["feature", var k] => features[int.Parse(k)],
                    ["scaled"] => Lpips.ScaleInput(a),
                    _ => throw new InvalidOperationException($"Unknown output {output}."),
                }
            );
    }

    /// <summary>uint8 [h,w,3] to [1,3,h,w] on [0,1].</summary>
    private static Tensor Picture(Tensor bytes) => bytes.permute(2, 0, 1).unsqueeze(0).to(ScalarType.Float32) / 255;
}
