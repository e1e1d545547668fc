using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Faces;

public sealed class FaceFinderTests : IDisposable
{
    private readonly ComputeScope _scope = new();
    private readonly FaceFinder _finder = FaceFinder.Shipped();

    [Theory]
    [InlineData(0)]
    [InlineData(-30)]
    [InlineData(60)]
    [InlineData(90)]
    [InlineData(135)]
    [InlineData(180)]
    [InlineData(-90)]
    public void A_face_is_found_and_aligned_however_it_leans(double degrees)
    {
        Face face = Assert.Single(_finder.Find(Astronaut.Turned(degrees, 1, 500, 500)));
        Assert.True(face.HasLandmarks);
        double off = Math.IEEERemainder(face.Rotation * 180 / Math.PI - degrees, 360);
        Assert.InRange(off, -8, 8);
        Face upright = Assert.Single(_finder.Find(Astronaut.Turned(0, 1, 500, 500)));
        Affine turn = Affine.Similarity(1, 0, -250, -250).Then(Affine.Similarity(1, degrees * Math.PI / 180, 250, 250));
        double eyes = Distance(upright.Landmarks.Five[0], upright.Landmarks.Five[1]);
        foreach ((var expected, var actual) in upright.Landmarks.Five.Zip(face.Landmarks.Five))
            Assert.InRange(Distance(turn.Apply(expected.X, expected.Y), actual), 0, 0.15 * eyes);
    }

    [Fact]
    public void A_detector_sees_the_same_with_one_thread_as_with_two()
    {
        int threads = torch.get_num_threads();
        using FaceDetector detector = FaceDetector.FullRange();
        Tensor picture = Astronaut.Turned(-90, 1, 256, 256) * 2 - 1;
        try
        {
            torch.set_num_threads(1);
            Tensor one = detector.Evaluate(picture)[1];
            torch.set_num_threads(2);
            Assert.InRange((one - detector.Evaluate(picture)[1]).abs().max().item<float>(), 0, 1e-3);
        }
        finally
        {
            torch.set_num_threads(threads);
        }
    }

    [Theory]
    [InlineData(0.12)]
    [InlineData(1)]
    [InlineData(6)]
    public void Faces_of_any_size_are_found(double scale)
    {
        Face face = Assert.Single(_finder.Find(Astronaut.Turned(0, scale, 900, 1300)));
        Assert.InRange(face.Detection.Width, 60 * scale, 130 * scale);
    }

    [Fact]
    public void A_file_read_by_regions_shows_the_same_faces_as_the_picture_in_memory()
    {
        using Picture rounded = Written(Astronaut.Turned(10, 1, 400, 300), out string path);
        using RegionReader reader = ImageFile.OpenRegions(path);
        Face whole = Assert.Single(_finder.Find(rounded.Pixels)),
            regions = Assert.Single(_finder.Find(reader));
        Assert.Equal(whole.Score, regions.Score, 1e-6);
        Assert.Equal(whole.Landmarks.Points[1].X, regions.Landmarks.Points[1].X, 1e-3);
        File.Delete(path);
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 1, 700)]
    [InlineData(3, 40, 3)]
    [InlineData(1, 300, 200)]
    public void Pictures_without_faces_of_any_shape_have_none(int channels, int height, int width) =>
        Assert.Empty(_finder.Find(torch.linspace(0, 1, channels * height * width).reshape(1, channels, height, width)));

    [Fact]
    public void A_gray_portrait_has_its_face() => Assert.Single(_finder.Find(Astronaut.Portrait().mean([1], keepdim: true)));

    [Fact]
    public void Another_shape_is_refused() =>
        Assert.Contains("[2,3,8,8]", Assert.Throws<ArgumentException>(() => _finder.Find(torch.zeros(2, 3, 8, 8))).Message);

    public void Dispose()
    {
        _finder.Dispose();
        _scope.Dispose();
    }

    private static double Distance((double X, double Y) a, (double X, double Y) b) =>
        Math.Sqrt(Math.Pow(a.X - b.X, 2) + Math.Pow(a.Y - b.Y, 2));

    private static Picture Written(Tensor pixels, out string path)
    {
        path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.png");
        ImageFile.Write(path, pixels);
        return ImageFile.Read(path);
    }
}
