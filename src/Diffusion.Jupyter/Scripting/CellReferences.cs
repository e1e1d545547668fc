using System.Collections.Immutable;
using Diffusion.Runtime;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Scripting;

namespace Diffusion.Jupyter.Scripting;

/// <summary><c>#r "path.dll"</c> and <c>#r "nuget: Name, 1.2.3"</c> of a cell.</summary>
internal sealed class CellReferences : MetadataReferenceResolver
{
    private const string Prefix = "nuget:";

    private readonly ScriptMetadataResolver _files = ScriptMetadataResolver.Default.WithBaseDirectory(Directory.GetCurrentDirectory());
    private readonly Dictionary<string, ImmutableArray<PortableExecutableReference>> _packages = new(StringComparer.OrdinalIgnoreCase);

    /// <inheritdoc/>
    /// <exception cref="DiffusionException">There is no such package.</exception>
    public override ImmutableArray<PortableExecutableReference> ResolveReference(
        string reference,
        string? baseFilePath,
        MetadataReferenceProperties properties
    )
    {
        if (!reference.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
            return _files.ResolveReference(reference, baseFilePath, properties);
        string package = reference[Prefix.Length..].Trim();
        if (!_packages.TryGetValue(package, out ImmutableArray<PortableExecutableReference> found))
            _packages[package] = found = [.. Package(package).Select(path => MetadataReference.CreateFromFile(path, properties))];
        return found;
    }

    /// <inheritdoc/>
    public override bool Equals(object? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

    // The packages of this library are those of the running process: a notebook that names them for other kernels gets these.
    private static IEnumerable<string> Package(string package)
    {
        (string name, string? version) = package.Split(',', StringSplitOptions.TrimEntries) switch
        {
            [var only] => (only, null),
            [var first, var second] => (first, second),
            _ => throw new DiffusionException("It is no package", package, "Write #r \"nuget: Name, 1.2.3\""),
        };
        string own = typeof(Interactive.Notebook).Assembly.GetName().Name!;
        string[] ours = [own, own.Replace("Interactive", "Restoration", StringComparison.Ordinal)];
        return ours.Contains(name, StringComparer.OrdinalIgnoreCase)
            ? [typeof(Interactive.Notebook).Assembly.Location]
            : RestoredPackage.Libraries(name, version);
    }
}
