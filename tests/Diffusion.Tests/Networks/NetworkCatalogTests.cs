using System.Reflection;
using System.Reflection.Emit;
using Diffusion.Checkpoints;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Runtime;
using Diffusion.Tests.Checkpoints;

namespace Diffusion.Tests.Networks;

public sealed class NetworkCatalogTests
{
    private static readonly NetworkCatalog WithBox = NetworkCatalog.With(typeof(BoxFamily).Assembly);

    [Fact]
    public void Every_kind_of_the_catalogue_of_files_has_a_family() =>
        Assert.All(CheckpointCatalog.Default.Entries, entry => NetworkCatalog.BuiltIn.Find(entry.Architecture.Kind));

    [Fact]
    public void A_kind_that_is_not_there_is_answered_with_the_nearest() =>
        Assert.Contains("adm-unet", Assert.Throws<CheckpointException>(() => NetworkCatalog.BuiltIn.Find("amd-unet")).Message);

    [Fact]
    public void Two_families_of_one_name_are_an_error_that_names_both()
    {
        PersistedAssemblyBuilder assembly = new(new AssemblyName("Twins"), typeof(object).Assembly);
        TypeBuilder twin = assembly.DefineDynamicModule("m").DefineType("Twin", TypeAttributes.Public, typeof(Twin));
        twin.SetCustomAttribute(
            new CustomAttributeBuilder(typeof(NetworkAttribute).GetConstructor([typeof(string)])!, [AdmUNetFamily.Name])
        );
        twin.DefineDefaultConstructor(MethodAttributes.Public);
        twin.CreateType();
        using MemoryStream dll = new();
        assembly.Save(dll);
        string message = Assert.Throws<ArgumentException>(() => NetworkCatalog.With(Assembly.Load(dll.ToArray()))).Message;
        Assert.Contains("AdmUNetFamily (Diffusion.Core)", message);
        Assert.Contains("Twin (Twins)", message);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_family_of_a_plug_in_becomes_a_prior_by_its_card_or_by_shapes(bool carded)
    {
        using ComputeScope scope = new();
        using Scratch scratch = new();
        Tensor weight = torch.full([3, 1, 5, 5], 0.04f);
        string file = scratch.At("mine.safetensors");
        SafetensorsWriter.Write(file, new Dictionary<string, Tensor> { ["box.weight"] = weight });
        if (carded)
            File.WriteAllText(scratch.At("card.json"), """{"name":"mine","kind":"box","config":{"side":5},"file":"mine.safetensors"}""");
        using IDenoiser prior = PriorLoader.Load(file, ComputePolicy.Reference, WithBox);
        Assert.Equal((0.2, 0.6), prior.Info.NoiseRange);
        Assert.Equal(new NetworkMemory(24, 3 * 25 * 4), prior.Info.Memory);
        Tensor constant = torch.full([1, 3, 9, 9], 0.5f);
        Assert.Equal(0.5, prior.Denoise(constant, 0.3)[0, 1, 4, 4].item<float>(), 1e-5);
        Assert.Contains("no network", Assert.Throws<CheckpointException>(() => PriorLoader.Load(file, ComputePolicy.Reference)).Message);
    }

    public abstract class Twin : NetworkFamily
    {
        public override string Description => "a twin";
        public override IReadOnlyList<string> Landmarks => [];

        public override System.Text.Json.Nodes.JsonObject? Recognize(ShapeTable shapes) => null;
    }
}
