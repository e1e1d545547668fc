using System.Reflection;
using Diffusion.Imaging;

namespace Diffusion.Tests.Imaging;

public sealed class CodecBoundaryTests
{
    private const BindingFlags Everything =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    [Fact]
    public void Types_of_the_codec_library_stay_inside_Imaging()
    {
        Type[] types = typeof(ImageFile).Assembly.GetTypes();
        string[] leaks =
        [
            .. types
                .Where(type => type.Namespace != "Diffusion.Imaging")
                .SelectMany(Mentioned)
                .Where(IsCodec)
                .Select(type => type.FullName!),
        ];
        Assert.Empty(leaks);
        string[] published =
        [
            .. types
                .Where(type => type.IsPublic && type.Namespace == "Diffusion.Imaging")
                .SelectMany(PublicSignatures)
                .Where(IsCodec)
                .Select(type => type.FullName!),
        ];
        Assert.Empty(published);
    }

    private static bool IsCodec(Type type) => type.Assembly.GetName().Name == "NetVips";

    private static IEnumerable<Type> Mentioned(Type type) =>
        type.GetMembers(Everything)
            .SelectMany(member =>
                member switch
                {
                    FieldInfo field => [field.FieldType],
                    MethodBase method => Signature(method)
                        .Concat(method.GetMethodBody()?.LocalVariables.Select(local => local.LocalType) ?? []),
                    _ => Enumerable.Empty<Type>(),
                }
            );

    private static IEnumerable<Type> PublicSignatures(Type type) =>
        type.GetMembers(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .OfType<MethodBase>()
            .SelectMany(Signature);

    private static IEnumerable<Type> Signature(MethodBase method) =>
        method
            .GetParameters()
            .Select(parameter => parameter.ParameterType)
            .Append(method is MethodInfo info ? info.ReturnType : typeof(void));
}
