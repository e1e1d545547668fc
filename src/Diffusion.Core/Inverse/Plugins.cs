using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.Loader;
using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// Loads assemblies with operators, solvers, networks or restoration methods that somebody else wrote. This is the only call that runs
/// foreign code.
/// </summary>
public static class Plugins
{
    /// <summary>Loads one assembly, or every assembly of a folder that refers to Diffusion.Core.</summary>
    /// <param name="path">A .dll or a folder.</param>
    /// <returns>
    /// The assemblies, for <see cref="OperatorCatalog.With"/> and the other catalogues. Copies of our own assemblies beside them are
    /// ignored: a plug-in always sees
    /// the running ones.
    /// </returns>
    /// <exception cref="OperatorSpecException">
    /// There is no such file, it is no .NET assembly, or it does not refer to Diffusion.Core.
    /// </exception>
    public static IReadOnlyList<Assembly> Load(string path)
    {
        if (Directory.Exists(path))
        {
            Assembly[] found =
            [
                .. Directory
                    .GetFiles(path, "*.dll")
                    .Order(StringComparer.Ordinal)
                    .Where(file => Kind(file) == FileKind.Plugin)
                    .Select(LoadFile),
            ];
            return found.Length > 0
                ? found
                : throw new OperatorSpecException(
                    "There is no plug-in in the folder",
                    path,
                    "A plug-in is a .dll that refers to Diffusion.Core"
                );
        }
        if (!File.Exists(path))
            throw new OperatorSpecException("The plug-in does not exist", path, "Pass a .dll or a folder");
        return Kind(path) switch
        {
            FileKind.Plugin => [LoadFile(path)],
            FileKind.Ours => throw new OperatorSpecException("This assembly is a part of Diffusion and no plug-in", path),
            FileKind.OtherAssembly => throw new OperatorSpecException(
                "This assembly does not refer to Diffusion.Core, so there is nothing for Diffusion in it",
                path
            ),
            _ => throw new OperatorSpecException("This file is no .NET assembly", path, "Pass the .dll that `dotnet build` writes"),
        };
    }

    private enum FileKind
    {
        NoAssembly,
        OtherAssembly,
        Ours,
        Plugin,
    }

    private static Assembly LoadFile(string file)
    {
        string full = Path.GetFullPath(file);
        try
        {
            return new PluginContext(full).LoadFromAssemblyPath(full);
        }
        catch (Exception failed) when (failed is BadImageFormatException or FileLoadException or IOException)
        {
            throw new OperatorSpecException(
                "The plug-in cannot be loaded: " + failed.Message.TrimEnd('.'),
                file,
                "Build it for .NET 10",
                failed
            );
        }
    }

    // Reads names and references from the metadata: nothing of the file runs.
    private static FileKind Kind(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            using PEReader reader = new(stream);
            if (!reader.HasMetadata)
                return FileKind.NoAssembly;
            MetadataReader metadata = reader.GetMetadataReader();
            if (!metadata.IsAssembly)
                return FileKind.NoAssembly;
            string name = metadata.GetString(metadata.GetAssemblyDefinition().Name);
            if (name.StartsWith("Diffusion.", StringComparison.Ordinal) && PluginContext.Running(name) is not null)
                return FileKind.Ours;
            return metadata.AssemblyReferences.Any(r => metadata.GetString(metadata.GetAssemblyReference(r).Name) == "Diffusion.Core")
                ? FileKind.Plugin
                : FileKind.OtherAssembly;
        }
        catch (Exception failed)
            when (failed is BadImageFormatException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            return FileKind.NoAssembly;
        }
    }

    // What the running program has already (ours, TorchSharp) is shared whatever lies beside the plug-in, so that its operators are our
    // LinearOperator; the rest comes from its folder.
    private sealed class PluginContext(string path) : AssemblyLoadContext(Path.GetFileNameWithoutExtension(path))
    {
        private readonly AssemblyDependencyResolver _resolver = new(path);

        internal static Assembly? Running(string name)
        {
            if (typeof(Plugins).Assembly.GetName().Name == name)
                return typeof(Plugins).Assembly;
            if (Default.Assemblies.FirstOrDefault(a => a.GetName().Name == name) is { } loaded)
                return loaded;
            try
            {
                return Default.LoadFromAssemblyName(new AssemblyName(name));
            }
            catch (Exception failed) when (failed is FileNotFoundException or FileLoadException or BadImageFormatException)
            {
                return null;
            }
        }

        protected override Assembly? Load(AssemblyName assemblyName) =>
            Running(assemblyName.Name!)
            ?? (
                _resolver.ResolveAssemblyToPath(assemblyName) is { } file ? LoadFromAssemblyPath(file)
                : Beside(assemblyName.Name!) is { } beside ? LoadFromAssemblyPath(beside)
                : null
            );

        protected override nint LoadUnmanagedDll(string unmanagedDllName) =>
            _resolver.ResolveUnmanagedDllToPath(unmanagedDllName) is { } file ? LoadUnmanagedDllFromPath(file) : 0;

        private string? Beside(string name) =>
            Path.Combine(Path.GetDirectoryName(path)!, name + ".dll") is var file && File.Exists(file) ? file : null;
    }
}
