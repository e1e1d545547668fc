using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;
using Diffusion.Tests.Imaging;

namespace Diffusion.Tests.Operators;

/// <summary>Kernels as people have them.</summary>
public sealed class KernelFileTests : PictureFixture
{
    private static string Kernel(string name) => Path.Combine(TestPaths.Repository, "tests", "field", "kernels", name);

    [Theory]
    [InlineData("k_be.npy", 1e-7), InlineData("k_1hw.npy", 1e-7), InlineData("k.npz", 1e-7), InlineData("k.mat", 1e-7)]
    [InlineData("k.fits", 1e-7), InlineData("k_u2.npy", 1e-4), InlineData("k_f64.tif", 1e-7)]
    public void One_kernel_is_the_same_in_every_container(string name, double tolerance)
    {
        using Tensor expected = new Blur { Kernel = Kernel("k_f4.npy") }.BuildKernel(),
            actual = new Blur { Kernel = Kernel(name) }.BuildKernel();
        Assert.Equal([15, 15], actual.shape);
        AssertNear(expected, actual, tolerance);
    }

    [Fact]
    public void Of_several_planes_none_is_taken_in_silence()
    {
        OperatorSpecException error = Assert.Throws<OperatorSpecException>(() => new Blur { Kernel = Kernel("psf3d.tif") }.BuildKernel());
        Assert.Contains("one plane", error.What);
        Assert.Contains("sharpness 1: 0.", error.What);
        string sharpest = error.Remedy![(error.Remedy!.LastIndexOf('=') + 1)..];
        using Tensor expected = new Blur { Kernel = Kernel("psf_focus.tif") }.BuildKernel(),
            actual = new Blur { Kernel = Kernel("psf3d.tif"), Page = int.Parse(sharpest) }.BuildKernel();
        AssertNear(expected, actual, 1e-6);
        Assert.Contains(
            "1 to 15",
            Assert.Throws<OperatorSpecException>(() => new Blur { Kernel = Kernel("psf3d.tif"), Page = 99 }.BuildKernel()).Remedy
        );
    }

    [Fact]
    public void Planes_of_an_array_are_counted_from_one()
    {
        const string Header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2), }\n";
        File.WriteAllBytes(
            At("k.npy"),
            [0x93, .. "NUMPY"u8, 1, 0, (byte)Header.Length, 0, .. System.Text.Encoding.ASCII.GetBytes(Header), 1, 1, 1, 1, 0, 3, 1, 0]
        );
        using Tensor first = new Blur { Kernel = At("k.npy"), Page = 1 }.BuildKernel(),
            second = new Blur { Kernel = At("k.npy"), Page = 2 }.BuildKernel();
        AssertNear(torch.full_like(first, 0.25), first, 1e-6);
        AssertNear(torch.tensor([0, 0.75f, 0.25f, 0]).reshape(2, 2).to(second.dtype), second, 1e-6);
    }

    [Fact]
    public void A_kernel_off_its_middle_is_said_and_may_be_centred()
    {
        // The point lies two rows above and three columns beside the middle of 5 x 9.
        File.WriteAllText(At("k.txt"), "0 0 0 0 0 0 0 1 0\n" + string.Concat(Enumerable.Repeat("0 0 0 0 0 0 0 0 0\n", 4)));
        Blur blur = new() { Kernel = At("k.txt") };
        Assert.Contains("-2.0 rows and 3.0 columns", Assert.Single(blur.Notes()));
        Assert.Contains("center=mass", blur.Notes()[0]);
        Assert.Empty((blur with { Center = KernelCenter.Middle }).Notes());
        Tensor x = Ramp(1, 12, 13);
        ImageShape shape = new(1, 12, 13);
        foreach (KernelCenter center in (KernelCenter[])[KernelCenter.Peak, KernelCenter.Mass])
        {
            using LinearOperator a = (blur with { Center = center, Boundary = Boundary.Circular }).Bind(shape);
            AssertNear(x, a.Apply(x), 1e-5);
        }
        using LinearOperator moving = (blur with { Boundary = Boundary.Circular }).Bind(shape);
        AssertNear(x.roll([-2, 3], [2, 3]), moving.Apply(x), 1e-5);
        Assert.Single((blur | new Mask { Random = 0.5 }).Notes());
    }

    [Theory]
    [InlineData("0 1 1 0\n0 1 1 0\n"), InlineData("1 2 1\n2 4 2\n1 2 1\n"), InlineData("1 1\n")]
    public void A_kernel_on_its_middle_is_quiet_even_where_its_sides_are_even(string text)
    {
        File.WriteAllText(At("k.txt"), text);
        Assert.Empty(new Blur { Kernel = At("k.txt") }.Notes());
    }

    [Fact]
    public void Keys_of_files_belong_to_files()
    {
        Assert.Contains(
            "belong to a kernel from a file",
            Assert.Throws<OperatorSpecException>(() => Parse("blur:sigma=2,page=1").Check()).What
        );
        Assert.Contains(
            "belong to a mask from a file",
            Assert.Throws<OperatorSpecException>(() => Parse("mask:random=0.5,key=a").Check()).What
        );
        Assert.Equal(
            "blur:kernel=k.mat,page=3,key=kernels,center=mass",
            Parse("blur:kernel=k.mat,key=kernels,page=3,center=mass").ToString()
        );
    }

    private static OperatorSpec Parse(string spec) => ShippedOperators.Catalog.Parse(spec);
}
