using System.Security.Cryptography;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Tests.Checkpoints;

namespace Diffusion.Tests.Models;

public sealed class CatalogTests
{
    [Fact]
    public void Names_and_files_are_unique()
    {
        string[] names = [.. CheckpointCatalog.Default.Entries.SelectMany(entry => entry.Files.Append(entry.Name))];
        Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.True(CheckpointCatalog.Default.Entries.Count >= 25);
    }

    [Fact]
    public void A_converted_file_is_known_under_any_name()
    {
        using Scratch scratch = new();
        string photo = Path.Combine(TestPaths.Repository, "checkpoints", "photo", "photo.safetensors"),
            output = scratch.At("renamed.safetensors");
        CheckpointConverter.ToSafetensors(photo, output, ScalarType.Float32);
        using ICheckpoint file = Checkpoint.Open(output);
        Assert.Equal("photo", file.Metadata["diffusion.name"]);
        Assert.Contains("by its name", CheckpointCatalog.Default.Identify(file)!.Note);
        Assert.Equal("cd-bedroom256-l2", CheckpointCatalog.Default.Find("/somewhere/CD_bedroom256_l2.safetensors")!.Name);
    }

    [Fact]
    public void Every_entry_says_licence_and_where_it_comes_from() => Assert.All(CheckpointCatalog.Default.Entries, entry =>
        {
            Assert.NotEmpty(entry.Licence);
            if (entry.Name is "photo" or "photo-cm" or "photo-tuned" or "face-small")
                return;
            Assert.StartsWith("https://", entry.Home);
            Assert.NotEmpty(entry.Sources);
        });

    [Fact]
    public void The_face_model_that_ships_is_the_one_that_is_listed()
    {
        string path = Path.Combine(TestPaths.Repository, "checkpoints", "faces", "face-small.safetensors");
        CatalogEntry entry = CheckpointCatalog.Default.Find("face-small")!;
        Assert.Equal(entry.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        Assert.Equal(entry.Parameters, CheckpointInspector.Inspect(path).Elements);
        Assert.InRange(new FileInfo(path).Length, 1, 30 << 20);
    }

    [Theory]
    [InlineData("photo"), InlineData("photo-cm"), InlineData("photo-tuned")]
    public void The_priors_that_ship_are_the_ones_that_are_listed(string name)
    {
        string path = Path.Combine(TestPaths.Repository, "checkpoints", name, $"{name}.safetensors");
        CheckpointSummary summary = CheckpointInspector.Inspect(path);
        Assert.Equal(name, summary.Identity!.Entry!.Name);
        Assert.Equal(summary.Identity.Entry.Parameters, summary.Elements);
        Assert.Equal(summary.Identity.Entry.Sha256, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))));
        Assert.Equal(32, (int)summary.Identity.Architecture.Config["num_head_channels"]!);
    }
}
