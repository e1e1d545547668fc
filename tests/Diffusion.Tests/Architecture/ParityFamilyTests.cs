using System.Reflection;
using Diffusion.Tests.Parity;

namespace Diffusion.Tests.Architecture;

/// <summary>Reference numbers that nobody compares with hold nothing.</summary>
public sealed class ParityFamilyTests
{
    /// <summary>The families of systems that are still to come. A family that a test enumerates leaves the list: it only shrinks.</summary>
    private static readonly string[] ToCome =
    [
        "aicr",
        "airnet",
        "darcot",
        "dcpt",
        "mair",
        "mambairv2",
        "moceir",
        "mpmfnet",
        "promptir",
        "restormer",
        "selective-scan",
        "swinir",
        "tur",
        "uformer",
        "vlunet",
    ];

    [Fact]
    public void Every_family_on_disk_is_enumerated_by_a_test()
    {
        string[] silent = [.. OnDisk().Except(Enumerated()).Except(ToCome)];
        Assert.True(silent.Length == 0, $"No test enumerates {string.Join(", ", silent)}: ParityCase.All(\"FAMILY\") hands out the cases.");
    }

    [Fact]
    public void The_families_to_come_become_fewer()
    {
        string[] come = [.. ToCome.Intersect(Enumerated())];
        Assert.True(come.Length == 0, $"Tests enumerate these now; take them from {nameof(ToCome)}: {string.Join(", ", come)}.");
    }

    /// <summary>The folders that hold a folder with a <c>case.json</c>.</summary>
    private static IEnumerable<string> OnDisk() =>
        TestPaths
            .ParityRoots.SelectMany(Directory.GetDirectories)
            .Where(family => Directory.GetDirectories(family).Any(folder => File.Exists(Path.Combine(folder, "case.json"))))
            .Select(family => Path.GetFileName(family))
            .Distinct();

    /// <summary>The families of the cases that theories are given.</summary>
    private static HashSet<string> Enumerated() =>
        [
            .. from type in typeof(ParityCase).Assembly.GetTypes()
            from method in type.GetMethods()
            where method.GetCustomAttribute<TheoryAttribute>() is { Skip: null }
            from data in method.GetCustomAttributes<MemberDataAttribute>()
            let cases = (data.MemberType ?? type).GetProperty(data.MemberName)?.GetValue(null) as TheoryData<string>
            where cases is not null
            from row in cases
            where row.Data.Length > 0 && File.Exists(Path.Combine(row.Data, "case.json"))
            select Path.GetFileName(Path.GetDirectoryName(row.Data)!),
        ];
}
