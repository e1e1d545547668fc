using Diffusion.Faces;
using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Tests.Faces;

public sealed class IdentityDistanceTests(ITestOutputHelper output) : IDisposable
{
    private readonly ComputeScope _scope = new();

    private static string? Faces =>
        TestPaths.Shared is { } shared && Path.Combine(shared, "data", "train-faces") is var folder && Directory.Exists(folder)
            ? folder
            : null;

    [Fact]
    public void Different_people_lie_far_apart_and_a_degraded_face_near_itself()
    {
        Assert.SkipWhen(Faces is null, "There are no faces. Put the folder \"shared\" beside the repository.");
        using IdentityDistance measure = IdentityDistance.Shipped();
        string[] files = [.. Directory.GetFiles(Faces!, "face-*.jpg").Order(StringComparer.Ordinal).Take(24)];
        List<IReadOnlyList<float>> people = [];
        List<double> same = [],
            different = [];
        foreach (string file in files)
        {
            using Picture face = ImageFile.Read(file);
            using Tensor small = Resize.Matlab(face.Pixels, 1, 3),
                blurred = Resize.ToSize(small, face.Height, face.Width);
            people.Add(measure.Describe(face.Pixels));
            same.Add(FaceDescriptor.Distance(people[^1], measure.Describe(blurred)));
        }
        for (int i = 0; i < people.Count; i++)
        for (int j = 0; j < i; j++)
            different.Add(FaceDescriptor.Distance(people[i], people[j]));
        output.WriteLine($"same face at a third: median {Median(same):F2}, most {same.Max():F2}");
        output.WriteLine($"different people: median {Median(different):F2}, least {different.Min():F2}");
        Assert.InRange(Median(different), 0.75, 0.95);
        Assert.InRange(Median(same), 0, 0.35);
        Assert.True(same.Max() < Median(different));
    }

    [Fact]
    public void A_face_is_itself_at_any_size()
    {
        using IdentityDistance measure = IdentityDistance.Shipped();
        using FaceFinder finder = FaceFinder.Shipped();
        Tensor portrait = Astronaut.Portrait();
        IReadOnlyList<(double X, double Y)> five = finder.Find(portrait)[0].Landmarks.Five;
        Tensor large = FaceAlignment.By(five).Crop(portrait),
            small = FaceAlignment.By(five, 256).Crop(portrait);
        Assert.Equal(0, measure.Between(large, large));
        Assert.InRange(measure.Between(large, small), 0, 0.15);
        Assert.InRange(measure.Between(large, large.flip(2)), 0.3, 2);
    }

    [Fact]
    public void Landmarks_that_move_by_a_tenth_of_the_eye_distance_are_that_far()
    {
        FaceLandmark[] points = [.. Enumerable.Range(0, 468).Select(k => new FaceLandmark(k % 31, k / 31, 0))];
        FaceLandmarks face = new(points, 1);
        double eyes = face.Five[1].X - face.Five[0].X,
            dy = face.Five[1].Y - face.Five[0].Y,
            distance = Math.Sqrt(eyes * eyes + dy * dy);
        FaceLandmarks moved = new([.. points.Select(p => p with { X = p.X + 0.1 * distance })], 1);
        Assert.Equal(0.1, moved.DistanceTo(face), 1e-9);
    }

    [Fact]
    public void What_is_no_aligned_face_is_refused()
    {
        using IdentityDistance measure = IdentityDistance.Shipped();
        Assert.Contains("[1,3,8,9]", Assert.Throws<ArgumentException>(() => measure.Describe(torch.zeros(1, 3, 8, 9))).Message);
    }

    public void Dispose() => _scope.Dispose();

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(values.Count() / 2);
}
