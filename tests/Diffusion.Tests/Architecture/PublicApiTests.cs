using System.Reflection;
using Diffusion.Interactive;
using Diffusion.Inverse;
using Diffusion.Operators;
using Diffusion.Restoration;
using PublicApiGenerator;

namespace Diffusion.Tests.Architecture;

/// <summary>
/// What each package offers its users stands in <c>Api/PACKAGE.txt</c>, so that a change of it is seen in review. A change is accepted by
/// running these tests with <c>DIFFUSION_ACCEPT_API=1</c>, which writes the files anew.
/// </summary>
public sealed class PublicApiTests
{
    private const string Accept =
        "DIFFUSION_ACCEPT_API=1 tests/Diffusion.Tests/bin/Release/net10.0/Diffusion.Tests --filter-class '*PublicApiTests'";

    private static readonly string Folder = Path.Combine(TestPaths.Repository, "tests", "Diffusion.Tests", "Architecture", "Api");

    public static TheoryData<Type> Packages => [typeof(LinearOperator), typeof(ShippedOperators), typeof(Restorer), typeof(Notebook)];

    [Theory, MemberData(nameof(Packages))]
    public void The_public_members_of_a_package_are_those_on_file(Type member)
    {
        Assembly package = member.Assembly;
        string file = Path.Combine(Folder, package.GetName().Name + ".txt");
        string actual = package.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n");
        if (Environment.GetEnvironmentVariable("DIFFUSION_ACCEPT_API") == "1")
            File.WriteAllText(file, actual);
        string[] then = File.Exists(file) ? File.ReadAllLines(file) : [],
            now = actual.TrimEnd('\n').Split('\n');
        Assert.True(
            then.SequenceEqual(now),
            $"The public members of {package.GetName().Name} have changed. If they should have:\n  {Accept}\n{Difference(then, now)}"
        );
    }

    /// <summary>What went and what came, each under the type that it belongs to.</summary>
    private static string Difference(string[] then, string[] now)
    {
        HashSet<string> before = [.. Owned(then)],
            after = [.. Owned(now)];
        return string.Join('\n', before.Except(after).Select(line => $"- {line}").Concat(after.Except(before).Select(line => $"+ {line}")));
    }

    private static IEnumerable<string> Owned(string[] lines)
    {
        string owner = "";
        foreach (string line in lines.Where(line => line.Trim() is not ("{" or "}")))
            if (line.Contains(" class ") || line.Contains(" interface ") || line.Contains(" struct ") || line.Contains(" enum "))
                yield return owner = line.Trim();
            else
                yield return $"{owner}: {line.Trim()}";
    }
}
