using System.Reflection;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Runtime;

namespace Diffusion.Tests.Extending;

public sealed class OperatorPluginTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("diffusion-plugin-").FullName;

    [Fact]
    public void One_class_in_a_foreign_assembly_is_an_operator()
    {
        OperatorCatalog catalog = ShippedOperators.Catalog.With(Plugins.Load(SamplePlugin.Path));
        OperatorKind kind = catalog.Find("vignette");
        Assert.Equal(("strength", "how dark the corners are"), (Assert.Single(kind.Settings).Name, kind.Settings[0].About));
        Assert.Equal("vignette:strength=0.25|gray", catalog.Parse("vignette:strength=0.25|gray").ToString());
        Assert.Equal(catalog.Parse("vignette"), catalog.Parse("vignette:strength=0.5"));
        using LinearOperator a = catalog.Parse("vignette:strength=0.4").Bind(new ImageShape(3, 9, 13));
        OperatorCheck.Report report = OperatorCheck.Run(a);
        Assert.True(report.Passed, Environment.NewLine + report);
        Assert.Contains(
            "strength must lie between 0 and 1, not 2",
            Assert.Throws<OperatorSpecException>(() => catalog.Parse("vignette:strength=2")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Stray_copies_of_our_assemblies_beside_a_plug_in_are_ignored()
    {
        File.Copy(SamplePlugin.Path, Path.Combine(_folder, "SamplePlugin.dll"));
        foreach (Type ours in (Type[])[typeof(LinearOperator), typeof(Blur), typeof(torch)])
            File.Copy(ours.Assembly.Location, Path.Combine(_folder, Path.GetFileName(ours.Assembly.Location)));
        Assembly plugin = Assert.Single(Plugins.Load(_folder));
        Type vignette = plugin.GetType("SamplePlugin.Vignette", throwOnError: true)!;
        Assert.Same(typeof(LinearOperator), vignette.BaseType);
        using LinearOperator a = ShippedOperators.Catalog.With(plugin).Parse("vignette|downsample:factor=2").Bind(new ImageShape(3, 8, 8));
        using Tensor x = torch.ones(1, 3, 8, 8),
            y = a.Apply(x);
        Assert.Equal([1, 3, 4, 4], y.shape);
    }

    [Fact]
    public void Two_operators_of_one_name_are_an_error_that_names_both()
    {
        OperatorSpecException error = Assert.Throws<OperatorSpecException>(() =>
            ShippedOperators.Catalog.With(Plugins.Load(SamplePlugin.Path)).With(typeof(OperatorPluginTests).Assembly)
        );
        Assert.Contains("SamplePlugin.Vignette in SamplePlugin", error.Message, StringComparison.Ordinal);
        Assert.Contains("OtherVignette in Diffusion.Tests", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_plug_in_is_refused_with_its_name()
    {
        string text = Path.Combine(_folder, "notes.dll");
        File.WriteAllText(text, "no assembly");
        Assert.Contains("no .NET assembly", Refused(text), StringComparison.Ordinal);
        Assert.Contains("does not exist", Refused(Path.Combine(_folder, "missing.dll")), StringComparison.Ordinal);
        Assert.Contains("no plug-in in the folder", Refused(_folder), StringComparison.Ordinal);
        Assert.Contains("a part of Diffusion", Refused(typeof(LinearOperator).Assembly.Location), StringComparison.Ordinal);
        Assert.Contains("does not refer to Diffusion.Core", Refused(typeof(torch).Assembly.Location), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Refused(string path) => Assert.Throws<OperatorSpecException>(() => Plugins.Load(path)).Message;

    /// <summary>A second operator named vignette.</summary>
    [Operator("vignette")]
    public sealed record OtherVignette : OperatorSpec
    {
        /// <inheritdoc/>
        protected override LinearOperator Create(ImageShape input, Device device) => new Identity().Bind(input, device);
    }
}
