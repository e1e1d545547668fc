using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class TrainingStateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("state").FullName;

    private string File_ => Path.Combine(_folder, "state");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Everything_comes_back()
    {
        using TrainingState saved = TrainingFixture.State();
        (saved.Step, saved.Crops, saved.Pixels, saved.Seconds) = (7, 8, 9, 10.5);
        saved.Rate = saved.Rate.DecayFrom(7, 20);
        saved.Balance.Observe(3, 0.25);
        saved.Save(File_);
        using TrainingState read = TrainingFixture.State();
        read.Load(File_);
        Assert.Equal((7, 8, 9, 10.5), (read.Step, read.Crops, read.Pixels, read.Seconds));
        Assert.Equal(saved.Rate, read.Rate);
        Assert.Equal(saved.Balance.Means, read.Balance.Means);
        Assert.Equal(TrainingFixture.Weights(saved), TrainingFixture.Weights(read));
        Assert.Equal([File_], Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(0.3)]
    [InlineData(0.999)]
    public void A_state_that_was_cut_is_refused(double share)
    {
        using TrainingState state = TrainingFixture.State();
        state.Save(File_);
        byte[] bytes = File.ReadAllBytes(File_);
        File.WriteAllBytes(File_, bytes[..(int)(share * bytes.Length)]);
        Assert.Contains("cut short", Assert.Throws<CheckpointException>(() => state.Load(File_)).Message);
    }

    [Fact]
    public void A_flipped_bit_is_noticed()
    {
        using TrainingState state = TrainingFixture.State();
        state.Save(File_);
        byte[] bytes = File.ReadAllBytes(File_);
        bytes[^100_000] ^= 1;
        File.WriteAllBytes(File_, bytes);
        Assert.Contains("checksum", Assert.Throws<CheckpointException>(() => state.Load(File_)).Message);
    }

    [Fact]
    public void A_header_that_claims_terabytes_allocates_nothing()
    {
        File.WriteAllBytes(File_, [.. "DIFFTRN1"u8, .. BitConverter.GetBytes(1L << 42), .. new byte[100]]);
        using TrainingState state = TrainingFixture.State();
        Assert.Contains("impossible header", Assert.Throws<CheckpointException>(() => state.Load(File_)).Message);
    }

    [Fact]
    public void A_state_of_another_network_is_refused()
    {
        using AdmUNet other = new(TrainingFixture.Architecture with { NumResBlocks = 2 });
        using TrainingState larger = new(other.Parameters, new LearningRate(1, 1));
        larger.Save(File_);
        using TrainingState state = TrainingFixture.State();
        Assert.Contains("another network", Assert.Throws<CheckpointException>(() => state.Load(File_)).Message);
    }

    [Fact]
    public void A_failed_write_leaves_the_previous_state()
    {
        using TrainingState state = TrainingFixture.State();
        state.Step = 1;
        state.Save(File_);
        Directory.CreateDirectory(File_ + ".part"); // nothing can be written there
        state.Step = 2;
        Assert.Contains("which is intact", Assert.Throws<ResourceException>(() => state.Save(File_)).Message);
        state.Load(File_);
        Assert.Equal(1, state.Step);
    }
}
