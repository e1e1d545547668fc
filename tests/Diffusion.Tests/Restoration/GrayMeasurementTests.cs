using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;

namespace Diffusion.Tests.Restoration;

public sealed class GrayMeasurementTests
{
    [Theory]
    [InlineData("blur:sigma=1.5")]
    [InlineData("downsample:factor=2")]
    [InlineData("mask:random=0.5")]
    [InlineData("blur:kernel=motion,length=5,boundary=replicate")]
    public void It_keeps_every_promise_of_an_operator(string spec)
    {
        using GrayMeasurement gray = new(ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(1, 24, 32)), 3);
        OperatorCheck.Report report = OperatorCheck.Run(gray);
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void It_takes_one_channel_only()
    {
        using LinearOperator color = ShippedOperators.Catalog.Parse("identity").Bind(new ImageShape(3, 8, 8));
        Assert.Throws<ArgumentException>(() => new GrayMeasurement(color, 3));
    }
}
