using System.Text.Json;
using Diffusion.Imaging;

namespace Diffusion.Tests.Parity;

/// <summary>Family <c>resize</c>: resampling as the published code does it.</summary>
public sealed class ResizeParityTests
{
    public static TheoryData<string> Cases => ParityCase.All("resize");

    [Theory, MemberData(nameof(Cases))]
    public void Resampling_is_the_published_one(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Text("size", "centre", "grid", "layout", "dtype", "antialiasing");
        string method = config.OneOf("method", "Resizer cubic", "matlab imresize bicubic", "opencv cubic", "pillow");
        foreach (ConfigNode resize in config.Objects("resizes"))
        {
            Tensor x = reference.Input("x");
            Tensor actual = method switch
            {
                "Resizer cubic" => Resizer(x, config, resize),
                "matlab imresize bicubic" => Matlab(x, config, resize),
                "opencv cubic" => OpenCv(x, config, resize),
                _ => Planar(x, planes => PillowResize.Resize(planes, resize.Ints("size")[0], resize.Ints("size")[1], Filter(resize))),
            };
            reference.AssertOutput(resize.String("name"), actual);
        }
        if (method == "pillow" && config.Has("centre_crops"))
            foreach (ConfigNode crop in config.Objects("centre_crops"))
                reference.AssertOutput(
                    crop.String("name"),
                    Planar(reference.Input("x"), planes => PillowResize.CenterCrop(planes, crop.Int("image_size")))
                );
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static Tensor Matlab(Tensor x, ConfigNode config, ConfigNode resize)
    {
        int[] scale = resize.Ints("scale"),
            size = resize.Ints("size");
        bool antialias = resize.Bool("antialiasing", config.Kind("antialiasing") != JsonValueKind.False);
        (double a, EdgeMode edges) = (config.Double("a", -0.5), Edges(config, EdgeMode.Symmetric));
        double factor = (double)scale[0] / scale[1];
        Taps Along(int dim, int outputs) =>
            Resize.MatlabTaps((int)x.shape[dim], outputs, factor, ResampleKernel.Cubic(a), antialias, edges);
        return IsUsual(a, -0.5, edges, EdgeMode.Symmetric)
            ? Resize.Matlab(x, scale[0], scale[1], antialias)
            : Along(3, size[1]).Apply(Along(2, size[0]).Apply(x, 2), 3);
    }

    private static Tensor Resizer(Tensor x, ConfigNode config, ConfigNode resize)
    {
        Assert.Equal(-0.5, config.Double("a", -0.5));
        Assert.Equal(EdgeMode.Symmetric, Edges(config, EdgeMode.Symmetric));
        int[] size = resize.Ints("size");
        return resize.Has("scale_factor") ? Resize.Resizer(x, resize.Double("scale_factor")) : Resize.Resizer(x, size[0], size[1]);
    }

    private static Tensor OpenCv(Tensor x, ConfigNode config, ConfigNode resize)
    {
        Assert.NotEqual(JsonValueKind.True, config.Kind("antialiasing"));
        Assert.Equal(EdgeMode.Replicate, Edges(config, EdgeMode.Replicate));
        int[] size = resize.Ints("size");
        return Resize.OpenCvCubic(x, size[0], size[1], config.Double("a", -0.75));
    }

    private static bool IsUsual(double a, double usualA, EdgeMode edges, EdgeMode usualEdges) => a == usualA && edges == usualEdges;

    private static EdgeMode Edges(ConfigNode config, EdgeMode absent) =>
        !config.Has("edges") ? absent
        : config.OneOf("edges", "replicate", "symmetric") == "replicate" ? EdgeMode.Replicate
        : EdgeMode.Symmetric;

    private static ResampleKernel Filter(ConfigNode resize) =>
        resize.OneOf("filter", "bicubic", "bilinear", "box", "lanczos") switch
        {
            "bicubic" => ResampleKernel.Bicubic,
            "bilinear" => ResampleKernel.Bilinear,
            "box" => ResampleKernel.Box,
            _ => ResampleKernel.Lanczos,
        };

    /// <summary>[h,w,3] to planes and back.</summary>
    private static Tensor Planar(Tensor picture, Func<Tensor, Tensor> resize) =>
        resize(picture.permute(2, 0, 1).contiguous()).permute(1, 2, 0).contiguous();
}
