using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Faces;

public sealed class FaceAlignmentTests : IDisposable
{
    private readonly ComputeScope _scope = new();

    public static TheoryData<double, double, double, double> Similarities =>
        new()
        {
            { 1, 0, 0, 0 },
            { 0.2, 2.5, 40, -7 },
            { 7.5, -1.1, -300, 12 },
            { 0.01, 3.1, 1e4, 1e4 },
        };

    [Theory, MemberData(nameof(Similarities))]
    public void A_similarity_is_recovered_from_its_points(double scale, double angle, double x, double y)
    {
        Affine map = Affine.Similarity(scale, angle, x, y);
        (double X, double Y)[] from = [.. FaceTemplate.Published],
            to = [.. from.Select(point => map.Apply(point.X, point.Y))];
        Near(map, SimilarityFit.LeastSquares(from, to), 1e-9);
        Near(map, SimilarityFit.Robust(from, to), 1e-9);
    }

    [Theory, MemberData(nameof(Similarities))]
    public void A_wrong_point_does_not_spoil_the_robust_fit(double scale, double angle, double x, double y)
    {
        Affine map = Affine.Similarity(scale, angle, x, y);
        (double X, double Y)[] from = [.. FaceTemplate.Published];
        for (int wrong = 0; wrong < from.Length; wrong++)
        {
            (double X, double Y)[] to = [.. from.Select(point => map.Apply(point.X, point.Y))];
            to[wrong] = (to[wrong].X + 150 * scale, to[wrong].Y - 90 * scale);
            Near(map, SimilarityFit.Robust(from, to), 1e-6);
            Assert.NotInRange(SimilarityFit.LeastSquares(from, to).C - map.C, -1e-3 * scale, 1e-3 * scale);
        }
    }

    [Fact]
    public void Points_in_one_place_and_single_points_are_refused()
    {
        Assert.Throws<ArgumentException>(() => SimilarityFit.LeastSquares([(1, 1), (1, 1)], [(0, 0), (1, 0)]));
        Assert.Throws<ArgumentException>(() => SimilarityFit.Robust([(1, 1)], [(0, 0)]));
    }

    [Theory]
    [InlineData(140, 120, 0.3)]
    [InlineData(5, 90, -1.2)] // cut by the border
    [InlineData(140, 120, 3.0)]
    public void Cropping_and_pasting_back_changes_little_inside_and_nothing_outside(double x, double y, double angle)
    {
        Tensor picture = Smooth(240, 300);
        FaceAlignment alignment = Around(x, y, 80, angle);
        Tensor back = alignment.Paste(picture, alignment.Crop(picture));
        // The crop's gray reaches half a pixel into a photograph whose border cuts the face.
        Tensor inner = (back - picture).abs().narrow(2, 1, 238).narrow(3, 1, 298);
        Assert.InRange(inner.max().item<float>(), 0, 2e-3);
        Tensor pasted = alignment.Paste(picture, torch.ones(1, 3, alignment.Size, alignment.Size));
        Tensor outside = Outside(alignment, 240, 300);
        Assert.True(outside.any().item<bool>());
        Assert.True(pasted.eq(picture).logical_or(outside.logical_not()).all().item<bool>());
        Assert.True(pasted.ne(picture).any().item<bool>());
    }

    [Fact]
    public void The_feather_leaves_no_edge()
    {
        FaceAlignment alignment = Around(150, 120, 120, 0.4);
        Tensor mask = alignment.Paste(torch.zeros(1, 3, 240, 300), torch.ones(1, 3, alignment.Size, alignment.Size))[0, 0];
        Assert.Equal(1, mask.max().item<float>(), 1e-6);
        Assert.InRange(mask.diff(dim: 0).abs().max().item<float>(), 0, 0.35);
        Assert.Equal(1, mask[120, 150].item<float>(), 1e-6);
    }

    [Fact]
    public void A_face_beyond_the_picture_changes_nothing()
    {
        Tensor picture = Smooth(50, 60);
        FaceAlignment alignment = Around(-500, -500, 40, 0);
        Assert.True(alignment.Paste(picture, torch.ones(1, 3, 512, 512)).eq(picture).all().item<bool>());
    }

    [Fact]
    public void A_large_face_is_averaged_down()
    {
        Tensor stripes = (torch.arange(2400).remainder(2)).to(ScalarType.Float32).expand(1, 3, 2400, 2400);
        Tensor crop = Around(1200, 1200, 2048, 0).Crop(stripes);
        Assert.InRange(crop[0, 0, 200, TorchSharp.torch.TensorIndex.Slice(150, 350)].std().item<float>(), 0, 0.05);
    }

    public void Dispose() => _scope.Dispose();

    private static FaceAlignment Around(double x, double y, double side, double angle)
    {
        Affine toPhoto = Affine.Similarity(1, 0, -256, -256).Then(Affine.Similarity(side / 512, angle, x, y));
        return FaceAlignment.By([.. FaceTemplate.Of().Select(point => toPhoto.Apply(point.X, point.Y))]);
    }

    /// <summary>Where the square does not lie.</summary>
    private static Tensor Outside(FaceAlignment alignment, int height, int width)
    {
        Tensor inside = torch.ones(1, 1, alignment.Size, alignment.Size);
        return Warp.Bilinear(inside, alignment.ToSquare, height, width, WarpEdge.Blend).eq(0);
    }

    private static Tensor Smooth(int height, int width)
    {
        Tensor rows = torch.linspace(0, 5, height).sin().reshape(1, 1, height, 1),
            columns = torch.linspace(0, 7, width).cos().reshape(1, 1, 1, width),
            channels = torch.tensor(new[] { 0.2f, 0.3f, 0.25f }).reshape(1, 3, 1, 1);
        return (0.5 + channels * rows * columns).contiguous();
    }

    private static void Near(Affine expected, Affine actual, double tolerance)
    {
        double scale = expected.Scale;
        foreach (
            (double e, double a) in new[] { (expected.A, actual.A), (expected.B, actual.B), (expected.D, actual.D), (expected.E, actual.E) }
        )
            Assert.Equal(e, a, tolerance * scale);
        Assert.Equal(expected.C, actual.C, 1000 * tolerance * scale + 1e-8);
        Assert.Equal(expected.F, actual.F, 1000 * tolerance * scale + 1e-8);
    }
}
