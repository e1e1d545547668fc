using Diffusion.Models;
using Diffusion.Runtime;

namespace Diffusion.Tests.Models;

public sealed class PriorLoaderTests : IDisposable
{
    private static readonly string Shipped = Path.Combine(TestPaths.Repository, "checkpoints", "photo");
    private readonly string _folder = Directory.CreateTempSubdirectory("priors").FullName;

    [Fact]
    public void Weights_without_a_card_are_recognised_and_run_alike()
    {
        string weights = Path.Combine(_folder, "mine.safetensors");
        File.Copy(Path.Combine(Shipped, "photo.safetensors"), weights);
        using ComputeScope scope = new();
        using IDenoiser recognised = PriorLoader.Load(weights, ComputePolicy.Reference);
        using VpPrior carded = PhotoPrior.Load(ComputePolicy.Reference);
        Tensor x = PhotoPrior.Noise(1, 3, 16, 16);
        Assert.True(recognised.Denoise(x, 0.5).eq(carded.Denoise(x, 0.5)).all().item<bool>());
        Assert.NotEmpty(recognised.Info.Notes);
        Assert.Empty(carded.Info.Notes);
    }

    [Fact]
    public void The_trainers_validation_becomes_the_table_of_errors()
    {
        WriteCard(
            """
            {"name":"mine","kind":"adm-unet","config":{},
            "validation":{"rows":[{"sigma":0.5,"psnr":1,"rmse":0.1},{"sigma":0.1,"psnr":1,"rmse":0.03}]}}
            """
        );
        Assert.Equal([(0.1, 0.03), (0.5, 0.1)], PriorCard.Read(Path.Combine(_folder, "card.json")).RmseTable!);
    }

    [Theory]
    [InlineData("[]", "no JSON object")]
    [InlineData("{", "cannot be used")]
    [InlineData("""{"name":"x","kind":"adm-unet"}""", "config")]
    [InlineData("""{"name":"x","kind":"adm-unet","config":{},"schedule":{"type":"linear","steps":1000000000}}""", "1000000000 steps")]
    [InlineData("""{"name":"x","kind":"adm-unet","config":{},"schedule":{"type":"spiral"}}""", "spiral")]
    [InlineData(
        """{"name":"x","kind":"adm-unet","config":{"model_channels":32,"num_res_blocks":1,"channel_mult":[1.5]}}""",
        "multiples of 32"
    )]
    [InlineData(
        """{"name":"x","kind":"adm-unet","config":{"model_channels":32,"num_res_blocks":99999999,"channel_mult":[1]}}""",
        "num_res_blocks"
    )]
    [InlineData("""{"name":"x","kind":"nafnet","config":{}}""", "nafnet")]
    public void A_card_that_cannot_be_used_is_named_with_the_reason(string card, string reason)
    {
        WriteCard(card);
        File.Copy(Path.Combine(Shipped, "photo.safetensors"), Path.Combine(_folder, "mine.safetensors"));
        Assert.Contains(reason, Assert.Throws<CheckpointException>(() => PriorLoader.Load(_folder, ComputePolicy.Reference)).Message);
    }

    [Fact]
    public void A_name_is_looked_up_in_the_folders_of_the_environment()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "mine"));
        foreach (string file in new[] { "card.json", "photo.safetensors" })
            File.Copy(Path.Combine(Shipped, file), Path.Combine(_folder, "mine", file));
        string? before = Environment.GetEnvironmentVariable(PriorFiles.Variable);
        Environment.SetEnvironmentVariable(PriorFiles.Variable, _folder);
        try
        {
            Assert.Contains("mine", PriorFiles.Names);
            Assert.Equal(Path.Combine(_folder, "mine", "photo.safetensors"), PriorFiles.Find("mine").Weights);
        }
        finally
        {
            Environment.SetEnvironmentVariable(PriorFiles.Variable, before);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void WriteCard(string json) => File.WriteAllText(Path.Combine(_folder, "card.json"), json);
}
