using System.Text.Json;
using Diffusion.Faces;
using Diffusion.Imaging;

namespace Diffusion.Tests.Parity;

/// <summary>The cases of family <c>osdface</c> that align faces and paste them back, as facexlib does.</summary>
public sealed class FaceAlignParityTests
{
    public static IEnumerable<TheoryDataRow<string>> Cases => ParityCase.All("osdface").Where(row => IsAlignment(row.Data));

    [Theory, MemberData(nameof(Cases))]
    public void Faces_are_aligned_and_pasted_as_published(string folder)
    {
        using ParityCase reference = ParityCase.Open(folder);
        ConfigNode config = reference.Config;
        config.Text("channel_order", "landmarks", "pasting", "dtype");
        (int size, int factor) = (config.Int("face_size"), config.Int("upscale_factor"));
        (double X, double Y)[] template = [.. Pairs(config.Raw("template_512")).Select(p => (p.X * size / 512, p.Y * size / 512))];
        Assert.Equal(FaceTemplate.Published, Pairs(config.Raw("template_512")));
        Assert.Equal([135, 133, 132], config.Ints("border_value"));
        Tensor all = reference.Input("landmarks").to(ScalarType.Float64);
        Affine[] robust = [.. Enumerable.Range(0, (int)all.shape[0]).Select(k => SimilarityFit.Robust(Points(all[k]), template))];
        Affine[] least = [.. Enumerable.Range(0, (int)all.shape[0]).Select(k => SimilarityFit.LeastSquares(Points(all[k]), template))];
        reference.AssertOutput("matrix_robust", torch.stack([.. robust.Select(Matrix)]));
        reference.AssertOutput("matrix_least_squares", torch.stack([.. least.Select(Matrix)]));

        Tensor picture = Flipped(reference.Input("picture"));
        FaceAlignment[] alignments = [.. robust.Select(map => new FaceAlignment(FromPixelIndices(map), size))];
        Tensor crops = torch.cat([.. alignments.Select(alignment => alignment.Crop(picture))]);
        reference.AssertOutput("crops", Flipped(crops * 255, 1).round());

        int pasted = config.Int("paste_face");
        Affine inverse = robust[pasted].Inverse().Then(Affine.Similarity(factor, 0, 0, 0));
        reference.AssertOutput("inverse", Matrix(inverse).unsqueeze(0));
        double shift = factor > 1 ? 0.5 * factor : 0;
        reference.AssertOutput("inverse_offset", Matrix(inverse with { C = inverse.C + shift, F = inverse.F + shift }).unsqueeze(0));

        // The published offset lies half a pixel beyond where the centres of pixels go.
        FaceAlignment published = alignments[pasted];
        if (factor > 1)
            published = published with { ToSquare = Affine.Similarity(1, 0, -0.5 / factor, -0.5 / factor).Then(published.ToSquare) };
        Tensor background = Enlarged(picture, factor);
        reference.AssertOutput("background", Flipped(background * 255, 1));
        Tensor mask = 1 - published.Paste(torch.ones_like(background), torch.zeros(1, 3, size, size), factor, asPublished: true);
        Assert.Equal(2 * factor, config.Ints("erode_sizes")[0]);
        Assert.Equal(config.Ints("erode_sizes")[1] + 1, config.Int("blur_size"));
        reference.AssertOutput("soft_mask", mask.narrow(1, 0, 1));
        Tensor restored = Flipped(reference.Input("restored"));
        Tensor result = published.Paste(background.clamp(0, 1), restored, factor, asPublished: true);
        reference.AssertOutput("result", Flipped(result * 255, 1).floor());
        reference.AssertAllOutputsTested();
        config.AssertAllKeysUsed();
    }

    private static bool IsAlignment(string folder) =>
        folder.Length > 0 && File.ReadAllText(Path.Combine(folder, "case.json")).Contains("\"template_512\"", StringComparison.Ordinal);

    /// <summary>A map between pixel indices as one between positions, where the centre of pixel k lies at k + 0.5.</summary>
    private static Affine FromPixelIndices(Affine map) =>
        Affine.Similarity(1, 0, -0.5, -0.5).Then(map).Then(Affine.Similarity(1, 0, 0.5, 0.5));

    /// <summary>OpenCV's Lanczos4: eight taps, border repeated.</summary>
    private static Tensor Enlarged(Tensor picture, int factor)
    {
        ResampleKernel kernel = new(4, x => Math.Abs(x) < 4 ? Sinc(x) * Sinc(x / 4) : 0);
        Taps Along(int side) => Resize.MatlabTaps(side, side * factor, factor, kernel, antialias: false, EdgeMode.Replicate);
        return Along((int)picture.shape[3]).Apply(Along((int)picture.shape[2]).Apply(picture, 2), 3);
    }

    private static double Sinc(double x) => x == 0 ? 1 : Math.Sin(Math.PI * x) / (Math.PI * x);

    /// <summary>To [1,3,H,W] on [0,1] with the channels in the library's order: the recorded border belongs to blue, green, red.</summary>
    private static Tensor Flipped(Tensor image) => Flipped((image.dim() == 3 ? image.unsqueeze(0) : image).to(ScalarType.Float32) / 255, 1);

    private static Tensor Flipped(Tensor picture, int dim) => picture.flip(dim);

    private static (double X, double Y)[] Points(Tensor five) =>
        [.. Enumerable.Range(0, 5).Select(k => (five[k, 0].item<double>(), five[k, 1].item<double>()))];

    private static (double X, double Y)[] Pairs(JsonElement list) =>
        [.. list.EnumerateArray().Select(pair => (pair[0].GetDouble(), pair[1].GetDouble()))];

    private static Tensor Matrix(Affine map) => torch.tensor(new[] { map.A, map.B, map.C, map.D, map.E, map.F }).reshape(2, 3);
}
