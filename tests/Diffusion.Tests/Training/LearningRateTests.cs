using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class LearningRateTests
{
    [Fact]
    public void It_warms_up_and_stays()
    {
        LearningRate rate = new(2, 4);
        Assert.Equal([0.5, 1, 1.5, 2, 2], [rate.At(0), rate.At(1), rate.At(2), rate.At(3), rate.At(1000)]);
        Assert.False(rate.IsOver(1_000_000));
    }

    [Fact]
    public void A_decay_branches_off_at_any_step_and_reaches_zero()
    {
        LearningRate rate = new LearningRate(2, 0).DecayFrom(100, 10);
        Assert.Equal(2, rate.At(100), 12);
        Assert.Equal(1, rate.At(105), 12);
        Assert.Equal(0, rate.At(110), 12);
        Assert.False(rate.IsOver(109));
        Assert.True(rate.IsOver(110));
    }

    [Fact]
    public void Moving_the_end_keeps_the_present_rate()
    {
        LearningRate rate = new LearningRate(2, 0).DecayFrom(100, 10),
            later = rate.DecayFrom(104, 30);
        Assert.Equal(rate.At(104), later.At(104), 12);
        Assert.Equal(rate.At(104) / 2, later.At(119), 12);
        Assert.True(later.IsOver(134));
    }
}
