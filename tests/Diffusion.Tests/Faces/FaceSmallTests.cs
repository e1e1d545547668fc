using Diffusion.Checkpoints;
using Diffusion.Faces;
using Diffusion.Metrics;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Tests.Networks;
using Diffusion.Training;

namespace Diffusion.Tests.Faces;

public sealed class FaceSmallTests : IDisposable
{
    private readonly string _file = Path.Combine(Directory.CreateTempSubdirectory("face-small").FullName, "tiny.safetensors");

    public FaceSmallTests() => Write(new FaceUNet(FaceUNetTests.Tiny));

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_file)!, recursive: true);

    [Theory]
    [InlineData(32, 32)]
    [InlineData(20, 32)]
    [InlineData(48, 48)]
    public void Faces_keep_their_size_or_take_the_networks(int given, int restored)
    {
        using ComputeScope scope = new();
        Assert.Equal([1, 3, restored, restored], Restore(Face(given)).shape);
    }

    [Fact]
    public void An_untrained_network_keeps_a_clear_face_and_its_detail_but_not_its_noise()
    {
        using ComputeScope scope = new();
        // Edges here and there, nothing between them.
        Tensor clear = torch.zeros(1, 3, 64, 64);
        clear.narrow(2, 20, 9).narrow(3, 30, 11).fill_(0.8);
        Tensor kept = Restore(clear),
            coarse = Restore(clear, ("detail", "0"));
        Assert.True((kept - clear).abs().max().item<float>() < 0.02, $"{(kept - clear).abs().max().item<float>()}");
        Assert.True((coarse - clear).abs().max().item<float>() > 0.1);

        Tensor noise = 0.05 * new PhiloxNoise(1, [ImageKey.FromName("noise")]).Draw(NoiseRole.Measurement, 1, 3, 64, 64);
        Tensor calmed = Restore(0.5 + noise) - 0.5;
        Assert.True(calmed.std().item<float>() < 0.75 * noise.std().item<float>());
    }

    [Fact]
    public void The_network_that_ships_leaves_a_sharp_face_alone_and_betters_a_bad_one()
    {
        using ComputeScope scope = new();
        using FaceUNet network = FaceSmall.Load("", new());
        using IdentityDistance identity = IdentityDistance.Shipped();
        Tensor face = Astronaut.Aligned(256),
            kept = (network.Restore(face * 2 - 1) + 1) / 2;
        Assert.True(Psnr.Compute(kept, face) > 33, $"{Psnr.Compute(kept, face)} dB");
        Assert.True(identity.Between(kept, face) < 0.15, $"identity moved by {identity.Between(kept, face)}");
        List<(double Psnr, double Identity)> gains = [];
        FaceDegradation recipe = new FaceDegradation().ForSide(256);
        for (int number = 0; number < 6; number++)
        {
            using DegradedFace bad = recipe.Apply(face, 1, number);
            Tensor better = (network.Restore(bad.Picture * 2 - 1) + 1) / 2;
            gains.Add(
                (
                    Psnr.Compute(better, face) - Psnr.Compute(bad.Picture, face),
                    identity.Between(bad.Picture, face) - identity.Between(better, face)
                )
            );
        }
        Assert.True(gains.Average(gain => gain.Psnr) > 0.7 && gains.Average(gain => gain.Identity) > 0.01, string.Join(", ", gains));
    }

    [Fact]
    public void Tokens_can_be_left_out()
    {
        using FaceUNet disturbed = new(FaceUNetTests.Tiny);
        Write(disturbed, disturb: true);
        using ComputeScope scope = new();
        Tensor with = Restore(Face(32)),
            without = Restore(Face(32), ("tokens", "false"));
        Assert.True((with - without).abs().max().item<float>() > 1e-5);
    }

    [Fact]
    public void What_shapes_do_not_show_stands_in_the_card()
    {
        using FaceUNet network = FaceSmall.Load(_file, new());
        Assert.Equal(FaceUNetTests.Tiny.HeadWidth, network.Config.HeadWidth);
        File.WriteAllText(Path.ChangeExtension(_file, ".json"), "{");
        Assert.Throws<CheckpointException>(() => FaceSmall.Load(_file, new()));
    }

    [Fact]
    public void What_does_not_fit_is_refused_in_one_sentence()
    {
        Assert.Contains("train face", Assert.Throws<CheckpointException>(() => FaceSmall.Load(_file + "x", new())).Message);
        using (AdmUNet other = new(Diffusion.Tests.Training.TrainingFixture.Architecture))
        {
            other.Initialize(1);
            SafetensorsWriter.Write(_file, other.Parameters.ToDictionary(p => p.Name, p => p.Value));
        }
        Assert.Contains("ADM", Assert.Throws<CheckpointException>(() => FaceSmall.Load(_file, new())).Message);
        using FaceSmall method = new();
        using Measurement wide = new(torch.zeros(1, 3, 32, 40), "wide");
        Assert.Contains("square", Assert.Throws<ImageException>(() => method.KindOf(wide)).Message);
    }

    private void Write(FaceUNet network, bool disturb = false)
    {
        using ComputeScope scope = new();
        network.Initialize(5);
        SafetensorsWriter.Write(
            _file,
            network.Parameters.ToDictionary(
                p => p.Name,
                p => disturb ? p.Value + 0.05 * torch.arange(p.Value.numel()).reshape(p.Shape).cos() : p.Value
            )
        );
        string config = FaceUNetConfig.Keys.Write(FaceUNetTests.Tiny).ToJsonString();
        File.WriteAllText(Path.ChangeExtension(_file, ".json"), $$"""{"file": "tiny.safetensors", "config": {{config}}}""");
        network.Dispose();
    }

    private Tensor Restore(Tensor face, params (string Key, string Value)[] set)
    {
        Dictionary<string, string> settings = new() { ["model"] = _file };
        foreach ((string key, string value) in set)
            settings[key] = value;
        using RestorationRunner runner = new(MethodCatalog.With().Find("face-small").Create(settings), new RunOptions { Policy = new() });
        using Measurement measurement = new(face.clone(), "face");
        using RestoredPicture restored = runner.Restore([measurement])[0];
        return restored.Picture.Pixels.clone();
    }

    private static Tensor Face(int side)
    {
        Tensor x = torch.linspace(0, 1, side);
        return ((6 * x + 3 * x.unsqueeze(1)).sin() / 3 + 0.5).expand(1, 3, side, side).contiguous();
    }
}
