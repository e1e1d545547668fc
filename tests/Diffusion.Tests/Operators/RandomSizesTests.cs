using Diffusion.Inverse;
using Diffusion.Operators;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Diffusion.Tests.Operators;

public sealed class RandomSizesTests
{
    // {f} is a factor that divides both sides.
    private static readonly string[] Specs =
    [
        "identity",
        "downsample:factor={f}",
        "downsample:factor={f},kernel=lanczos,boundary=circular",
        "downsample:factor={f},kernel=box",
        "downsample:factor={f},kernel=decimate",
        "blur:sigma={f}",
        "blur:sigma={f},boundary=circular",
        "blur:kernel=uniform,size={f},boundary=circular",
        "mask:random=0.{f}",
        "mask:stripes={f}",
        "gray|downsample:factor={f}",
        "hadamard:ratio=0.{f},seed={f}",
        "hadamard:ratio=0.2,order=sequency",
        "fourier:acceleration={f},seed={f}",
        "fourier:acceleration={f},lines=radial",
        "crop",
        "pad:left={f},top={f},boundary=replicate",
        "bayer",
        "blur:sigma=1,boundary=circular|downsample:factor={f},kernel=decimate,phase=0",
    ];

    [Property(MaxTest = 40)]
    public Property Closed_forms_hold_at_any_size() =>
        Prop.ForAll(
            (
                from spec in Gen.Elements(Specs)
                from f in Gen.Choose(2, 5)
                from height in Gen.Choose(1, 9)
                from width in Gen.Choose(1, 9)
                from batchSeed in Gen.Choose(0, 1000)
                select (
                    Spec: spec.Replace("{f}", $"{f}", StringComparison.Ordinal),
                    Height: f * height,
                    Width: f * width,
                    Seed: (ulong)batchSeed
                )
            ).ToArbitrary(),
            test =>
            {
                torch.set_num_threads(1);
                using LinearOperator a = ShippedOperators.Catalog.Parse(test.Spec).Bind(new ImageShape(3, test.Height, test.Width));
                OperatorCheck.Report report = OperatorCheck.Run(a, test.Seed);
                return report.Passed.Label(report.ToString());
            }
        );
}
