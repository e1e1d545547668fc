using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Tests.Extending;

/// <summary>A restoration method that has neither prior nor operator, from a plug-in's dll.</summary>
public sealed class MethodPluginTests
{
    private const int Height = 600,
        Width = 760;

    private static readonly MethodCatalog Catalog = MethodCatalog.With(SamplePlugin.Load());

    private static RestorationRunner Open(string amount, RunOptions? options = null) =>
        new(Catalog.Find("unsharp-mask").Create(new Dictionary<string, string> { ["amount"] = amount }), options ?? new());

    private static Measurement Photo(string name)
    {
        using ComputeScope scope = new();
        Tensor x = 0.5 + 0.1 * new PhiloxNoise(1, [ImageKey.FromName(name)]).Draw(NoiseRole.Start, 1, 3, Height, Width);
        return new Measurement(x.clamp(0, 1), name);
    }

    [Fact]
    public void It_is_found_by_name_and_takes_settings()
    {
        MethodEntry entry = Catalog.Find("unsharp-mask");
        Assert.Equal("amount", Assert.Single(entry.Settings).Name);
        Assert.Contains("amount", Assert.Throws<ArgumentException>(() => Open("11")).Message);
        Assert.Contains("unsharp-mask", Assert.Throws<ArgumentException>(() => Catalog.Find("unsharp")).Message);
    }

    [Fact]
    public void It_restores_in_batches_and_area_by_area_what_it_restores_alone()
    {
        using Measurement a = Photo("a"),
            b = Photo("b");
        using RestorationRunner whole = Open("0.5"),
            areas = Open("0.5", new RunOptions { Memory = 40L << 20 });
        RestorePlan plan = areas.Plan(a);
        Assert.True(plan.Areas > 1, $"{plan}");
        Assert.Null(plan.Operator);
        IReadOnlyList<RestoredPicture> together = whole.Restore([a, b]);
        using RestoredPicture alone = whole.Restore([b])[0],
            inAreas = areas.Restore([b])[0];
        Assert.Equal(plan.Areas, inAreas.Areas);
        Assert.Equal((null, null, "unsharp-mask", 1), (alone.Noise, alone.WhitenedResidual, alone.Solver, alone.Evaluations));
        Assert.True((alone.Picture.Pixels - b.Y).abs().max().item<float>() > 0.05);
        Assert.True((alone.Picture.Pixels - together[1].Picture.Pixels).abs().max().item<float>() < 1e-6);
        Assert.True((alone.Picture.Pixels - inAreas.Picture.Pixels).abs().max().item<float>() < 1e-6);
        foreach (RestoredPicture picture in together)
            picture.Dispose();
    }
}
