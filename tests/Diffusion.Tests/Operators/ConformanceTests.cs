using Diffusion.Inverse;
using Diffusion.Operators;

namespace Diffusion.Tests.Operators;

public sealed class ConformanceTests
{
    private static readonly string[] Specs =
    [
        "identity",
        "downsample:factor=2", "downsample:factor=3", "downsample:factor=4,kernel=bilinear", "downsample:factor=2,kernel=lanczos", "downsample:factor=3,kernel=box",
        "downsample:factor=4,kernel=decimate", "downsample:factor=3,kernel=decimate,phase=0", "downsample:factor=2,boundary=circular", "downsample:factor=3,boundary=circular",
        "downsample:factor=2,boundary=reflect", "downsample:factor=3,boundary=replicate", "downsample:factor=2,boundary=zero",
        "blur", "blur:sigma=1,boundary=circular", "blur:sigma=1,boundary=reflect", "blur:sigma=1,boundary=replicate", "blur:sigma=1,boundary=zero", "blur:sigma=1,boundary=valid",
        "blur:kernel=motion,length=7,angle=30", "blur:kernel=motion,length=7,angle=30,boundary=circular,orientation=correlate", "blur:kernel=motion,seed=3,size=9,boundary=valid",
        "blur:kernel=uniform,size=4", "blur:kernel=uniform,size=4,orientation=correlate,boundary=zero", "blur:kernel=disk,radius=2.5", "blur:sigma=2,sigma_y=0.7,angle=40",
        "mask:random=0.8", "mask:random=0.5,per_channel=true", "mask:box=center", "mask:stripes=3", "mask:text=Hello",
        "gray", "gray:weights=bt601",
        "gray|blur:sigma=1", "gray|downsample:factor=2", "gray|mask:random=0.5", "blur:sigma=1|downsample:factor=3,kernel=decimate",
        "blur:sigma=1,boundary=circular|downsample:factor=4,kernel=decimate", "blur:sigma=1|downsample:factor=2,kernel=decimate", "blur:sigma=1|mask:random=0.3", "identity|gray|identity",
    ];

    public static TheoryData<string, int, int> Cases => [.. Specs.SelectMany(spec => new (string, int, int)[] { (spec, 24, 36), (spec, 36, 12) })];

    [Theory, MemberData(nameof(Cases))]
    public void Every_operator_keeps_its_promises(string spec, int height, int width)
    {
        torch.set_num_threads(1);
        using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, height, width));
        OperatorCheck.Report report = OperatorCheck.Run(a);
        Assert.True(report.Passed, Environment.NewLine + report);
    }

    [Fact]
    public void Every_operator_of_the_catalogue_is_checked()
    {
        HashSet<string> seen = [.. Specs.SelectMany(s => s.Split('|')).Select(s => s.Split(':')[0])];
        Assert.All(ShippedOperators.Catalog.Kinds, kind => Assert.Contains(kind.Name, seen));
    }
}
