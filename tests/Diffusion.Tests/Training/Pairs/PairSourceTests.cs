using Diffusion.Synthesis;
using Diffusion.Training;

namespace Diffusion.Tests.Training.Pairs;

public sealed class PairSourceTests
{
    [Fact]
    public void Both_pictures_are_cut_alike_and_every_crop_is_determined_by_its_number()
    {
        PairSource source = new(PairFixture.Pairs, 5);
        using PairBatch whole = source.Draw(7, 0, 12, 32),
            part = source.Draw(7, 4, 6, 32);
        Assert.True(whole.Clean.narrow(0, 4, 2).equal(part.Clean).all().item<bool>());
        Assert.True(whole.Degraded.narrow(0, 4, 2).equal(part.Degraded).all().item<bool>());
        Assert.Equal(2, whole.Kinds.Distinct().Count());
        for (int i = 0; i < 12; i++)
        {
            using Tensor clean = whole.Clean[i],
                degraded = whole.Degraded[i],
                expected = whole.Kinds[i] == DegradationKind.LowLight ? clean / 2 : clean / 2 + 128 / 255.0,
                far = (degraded - expected).abs().max();
            Assert.InRange(far.item<float>(), 0, 1.01 / 255);
            using Tensor c = clean.unsqueeze(0),
                d = degraded.unsqueeze(0);
            Assert.Equal(Intensity.Between(d, c), whole.Intensities[i]);
        }
    }

    [Fact]
    public void Pairs_too_small_for_a_crop_are_refused() =>
        Assert.Contains(
            "64 pixels",
            Assert.Throws<ArgumentException>(() => new PairSource(PairFixture.Pairs, 1).Draw(0, 0, 1, 64)).Message
        );
}
