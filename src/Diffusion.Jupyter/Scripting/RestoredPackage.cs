using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security;
using System.Text.Json;
using Diffusion.Runtime;

namespace Diffusion.Jupyter.Scripting;

/// <summary>A NuGet package with all that it needs, as the .NET SDK resolves it for a project that references it.</summary>
internal static class RestoredPackage
{
    private static readonly HashSet<string> NativeFolders = [];

    /// <summary>The libraries of a package and of those that it needs.</summary>
    /// <param name="name">Of the package.</param>
    /// <param name="version">Of the package; null: the newest.</param>
    /// <exception cref="DiffusionException">There is none, or no .NET SDK.</exception>
    public static IReadOnlyList<string> Libraries(string name, string? version)
    {
        string folder = Directory.CreateTempSubdirectory("diffusion-package-").FullName;
        try
        {
            string project = Path.Combine(folder, "package.csproj");
            File.WriteAllText(
                project,
                $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <TargetFramework>net{Environment.Version.Major}.0</TargetFramework>
                    <RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>
                    <SelfContained>false</SelfContained>
                  </PropertyGroup>
                  <ItemGroup><PackageReference Include="{SecurityElement.Escape(name)}" Version="{SecurityElement.Escape(
                    version ?? "*"
                )}" /></ItemGroup>
                </Project>
                """
            );
            using JsonDocument items = JsonDocument.Parse(Build(project, name));
            IEnumerable<string> Paths(string kind) =>
                items
                    .RootElement.GetProperty("Items")
                    .GetProperty(kind)
                    .EnumerateArray()
                    .Select(item => item.GetProperty("FullPath").GetString()!);
            AddNative(Paths("NativeCopyLocalItems"));
            return [.. Paths("RuntimeCopyLocalItems")];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Build(string project, string name)
    {
        ProcessStartInfo start = new("dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(project),
        };
        foreach (
            string argument in (string[])
                [
                    "build",
                    project,
                    "-restore",
                    "-t:ResolvePackageAssets",
                    "-getItem:RuntimeCopyLocalItems",
                    "-getItem:NativeCopyLocalItems",
                    "-nologo",
                ]
        )
            start.ArgumentList.Add(argument);
        try
        {
            using Process build = Process.Start(start)!;
            Task<string> errors = build.StandardError.ReadToEndAsync();
            string output = build.StandardOutput.ReadToEnd();
            build.WaitForExit();
            if (build.ExitCode == 0)
                return output;
            string line = (output + errors.Result).Split('\n').FirstOrDefault(text => text.Contains("error", StringComparison.Ordinal))
                ?? "no reason given";
            throw new DiffusionException(
                $"The package could not be had: {line.Split("error ")[^1].Trim()}",
                name,
                "Check its name and version"
            );
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new DiffusionException(
                "Packages are resolved by the .NET SDK, which is not there",
                name,
                "Install it, or reference a file with #r \"path.dll\"",
                e
            );
        }
    }

    private static void AddNative(IEnumerable<string> files)
    {
        foreach (string file in files)
        {
            if (NativeFolders.Count == 0)
                AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, wanted) =>
                    NativeFolders
                        .SelectMany(folder => (string[])[wanted, $"lib{wanted}.so", $"{wanted}.dll", $"lib{wanted}.dylib"], Path.Combine)
                        .Select(path => NativeLibrary.TryLoad(path, out nint handle) ? handle : 0)
                        .FirstOrDefault(handle => handle != 0);
            NativeFolders.Add(Path.GetDirectoryName(file)!);
        }
    }
}
