using Diffusion.Checkpoints;
using Diffusion.Faces;
using Diffusion.Runtime;
using Diffusion.Tests.Faces;
using Diffusion.Tests.Parity;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Faces;

/// <summary>OSDFace in tiny widths with random weights, trained by the code that trains the small restorer.</summary>
public sealed class OsdFaceLearnerTests : IDisposable
{
    private const int Side = TinyFaceBundle.Side;
    private readonly string _folder = Directory.CreateTempSubdirectory("osdface-training").FullName;

    private string Bundle => Path.Combine(_folder, "bundle");

    public OsdFaceLearnerTests() =>
        TinyFaceBundle.Write(Path.Combine(TestPaths.Repository, "tests", "parity", "osdface", "pipeline"), Bundle);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void With_the_updates_of_a_bundle_it_restores_as_the_bundle_does()
    {
        using ComputeScope scope = new();
        using OsdFaceLearner learner = OsdFaceLearner.Open(Bundle, ComputePolicy.Reference, Side);
        learner.Initialize(1);
        Tensor face = Face(1) * 2 - 1,
            expected = ByBundle(Bundle, face),
            fresh = learner.View(face).Restored;
        learner.Take(Bundle);
        TensorAssert.Close("restored", expected, learner.View(face).Restored, 1e-4, 0);
        Assert.True((fresh - expected).abs().max().item<float>() > 1e-3);
    }

    [Fact]
    public void What_a_training_leaves_completes_a_bundle_that_restores_the_same()
    {
        FaceTrainingPlan plan = new()
        {
            Faces = [.. Enumerable.Range(0, 3).Select(Written)],
            Validation = [Written(3)],
            Folder = Path.Combine(_folder, "run"),
            Budget = new TrainingBudget(Steps: 4),
            Bundle = Bundle,
            BundleSide = Side,
            Settings = new()
            {
                Workers = 1,
                Parts = 1,
                Batches = [new(Side, 2, 1)],
                Policy = ComputePolicy.Reference,
            },
            Loss = new FaceLoss { Perceptual = 0, Identity = 0 },
            Rate = 1e-2,
            WarmupSteps = 1,
        };
        using FaceTrainingRun run = new(plan);
        Dictionary<string, float[]> before = Values(run.State);
        Assert.True(run.Run(validated: _ => { }));
        // A moves as soon as B, which starts at zero, lets a gradient through.
        Assert.All(Values(run.State), now => Assert.True(!now.Value.SequenceEqual(before[now.Key]), now.Key));
        string model = Path.Combine(plan.Folder, "model");
        foreach (string name in new[] { "embedding_change_weights.pth", "pytorch_lora_weights.safetensors" })
            File.Delete(Path.Combine(Bundle, name));
        Assert.Contains("embedding_change_weights", Assert.Throws<CheckpointException>(() => new FaceTrainingRun(plan)).Message);
        foreach (string file in Directory.GetFiles(model, "*.safetensors"))
            File.Copy(file, Path.Combine(Bundle, Path.GetFileName(file)));
        using ComputeScope scope = new();
        using IFaceLearner learner = run.Learner();
        Tensor face = Face(1) * 2 - 1;
        // Updates are written in bfloat16.
        TensorAssert.Close("restored", learner.View(face).Restored, ByBundle(Bundle, face), 0.02, 0);
        Assert.Contains("\"kind\": \"osdface\"", File.ReadAllText(Path.Combine(model, "card.json")));
    }

    [Fact]
    public void Its_embedder_does_not_learn()
    {
        using OsdFaceLearner learner = OsdFaceLearner.Open(Bundle, ComputePolicy.Reference, Side);
        using Tensor face = Face(1);
        Assert.Throws<NotSupportedException>(() => learner.OfCodes(face, face));
        Assert.DoesNotContain(learner.Parameters, parameter => parameter.Name.Contains("encoder"));
    }

    private static Tensor ByBundle(string folder, Tensor face)
    {
        using OsdFaceBundle bundle = OsdFaceBundle.Open(folder);
        using OsdFaceNetworks networks = OsdFaceNetworks.Of(bundle, ComputePolicy.Reference);
        OsdFacePipeline pipeline = new(networks, bundle.Diffusion.Schedule, new() { Side = Side, Latent = LatentChoice.Mode });
        return pipeline.Restore(face, new PhiloxNoise(0, [new ImageKey(0)])) * 2 - 1;
    }

    private static Dictionary<string, float[]> Values(TrainingState state)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return state.Export(TrainedWeights.Last).ToDictionary(weight => weight.Key, weight => weight.Value.data<float>().ToArray());
    }

    private static Tensor Face(int seed) => FaceSource.Face(FaceTrainerTests.Photo(seed), Side);

    private string Written(int seed)
    {
        string path = Path.Combine(_folder, $"face{seed}.png");
        using Tensor face = Face(seed);
        Diffusion.Imaging.ImageFile.Write(path, face);
        return path;
    }
}
