using Diffusion.Checkpoints;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Faces;

/// <summary>The published recipe's networks with tiny random weights: that they load, see, and pass a gradient on.</summary>
public sealed class PublishedPerceptionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("published").FullName;

    private string Vgg => Path.Combine(_folder, "vgg16.safetensors");

    private string ArcFace => Path.Combine(_folder, "arcface.safetensors");

    public PublishedPerceptionTests()
    {
        using DistsNetwork features = new(4);
        Write(features, Vgg, ("classifier.0.weight", [2, 2]));
        using ArcFaceNetwork recogniser = new([1, 2, 1, 1], 4, 8, 32);
        Write(recogniser, ArcFace, ("bn1.num_batches_tracked", [1]));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Files_load_by_their_shapes_and_see_faces()
    {
        using ComputeScope scope = new();
        using PublishedPerception eyes = PublishedPerception.Load(Vgg, ArcFace);
        SeenFaces seen = eyes.See(Face(2));
        Assert.Equal([4, 8, 16, 32, 32], seen.Features.Select(map => map.shape[1]));
        Assert.Equal([64, 32, 16, 8, 4], seen.Features.Select(map => map.shape[3]));
        Assert.Equal([2, 8], seen.Identity.shape);
    }

    [Fact]
    public void The_published_loss_trains()
    {
        using PublishedPerception eyes = PublishedPerception.Load(Vgg, ArcFace);
        float[] Step(FaceLoss loss) => FaceTrainerTests.After(1, loss, eyes);
        // Strong enough to be told from rounding after one step.
        FaceLoss strong = FaceLoss.Published with { Perceptual = 50, Identity = 50 };
        float[] weights = Step(strong);
        double Change(FaceLoss loss) => Step(loss).Zip(weights, (a, b) => Math.Abs(a - b)).Average();
        double none = Change(strong);
        FaceLoss[] others = [strong with { EdgeMaps = false }, strong with { Identity = 0 }, strong with { Error = 1000 }];
        Assert.All(others, other => Assert.True(Change(other) > 10 * none && Change(other) > 1e-10, $"{Change(other)}, {none}"));
    }

    [Fact]
    public void Other_files_are_refused()
    {
        Assert.Contains("VGG", Assert.Throws<CheckpointException>(() => PublishedPerception.Load(ArcFace, ArcFace)).Message);
        Assert.Contains("ArcFace", Assert.Throws<CheckpointException>(() => PublishedPerception.Load(Vgg, Vgg)).Message);
    }

    private static void Write(Network network, string path, (string Name, long[] Shape) further)
    {
        using ComputeScope scope = new();
        network.Initialize(7);
        Dictionary<string, Tensor> weights = network.Parameters.ToDictionary(p => p.Name, p => p.Value);
        weights[further.Name] = torch.zeros(further.Shape);
        SafetensorsWriter.Write(path, weights);
    }

    private static Tensor Face(int count)
    {
        Tensor x = torch.linspace(0, 1, 64);
        return ((7 * x + 4 * x.unsqueeze(1)).sin() / 3 + 0.5).expand(count, 3, 64, 64).contiguous();
    }
}
