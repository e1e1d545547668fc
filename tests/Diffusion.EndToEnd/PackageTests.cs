using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using Diffusion.Imaging;

namespace Diffusion.EndToEnd;

/// <summary>The command as a package. Slow: run with <c>--explicit only --filter-trait Category=slow</c>.</summary>
[Trait("Category", "slow")]
public sealed class PackageTests(Workspace workspace) : IClassFixture<Workspace>
{
    private static string Repository =>
        typeof(PackageTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    [Fact(Explicit = true)]
    public void The_package_holds_the_cured_library_and_runs_when_installed_in_a_path_with_spaces()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Dotnet(
            "pack",
            Path.Combine(Repository, "src", "Diffusion.Cli"),
            "-c",
            "Release",
            "-o",
            workspace["packages"],
            "--nologo",
            "-v",
            "q"
        );
        string package = Assert.Single(Directory.GetFiles(workspace["packages"], "Diffusion.Cli.*.nupkg"));
        using (ZipArchive zip = ZipFile.OpenRead(package))
        {
            ZipArchiveEntry library = Assert.Single(zip.Entries, entry => entry.Name == "libLibTorchSharp.so");
            using Stream stream = library.Open();
            using MemoryStream elf = new();
            stream.CopyTo(elf);
            string[] versions = [.. NeededVersions(elf.ToArray())];
            Assert.Contains("GLIBCXX_3.4.30", versions);
            Assert.DoesNotContain("GLIBCXX_3.4.32", versions);
            foreach (
                string file in (string[])["libtorch_cpu.so", "libvips.so.42", "photo.safetensors", "card.json", "cat.png", "THIRD-PARTY.md"]
            )
                Assert.Contains(zip.Entries, entry => entry.Name == file);
        }

        Dotnet("tool", "install", "Diffusion.Cli", "--tool-path", workspace["an installed tool"], "--add-source", workspace["packages"]);
        ProcessStartInfo start = new(Path.Combine(workspace["an installed tool"], "diffusion"), ["demo", "-n", "1", "--json"])
        {
            WorkingDirectory = workspace.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        (int code, string output) = Finish(start);
        Assert.True(code == 0, output);
        Assert.Contains("\"inpainting\"", output);
    }

    [Fact(Explicit = true)]
    public void The_lines_of_the_README_restore_a_picture_in_a_fresh_project()
    {
        string readme = File.ReadAllText(Path.Combine(Repository, "README.md"));
        string section = readme[readme.IndexOf("\n## From C#", StringComparison.Ordinal)..];
        string platform =
            OperatingSystem.IsWindows() ? "win-x64"
            : OperatingSystem.IsMacOS() ? "osx-arm64"
            : "linux-x64";
        string native = Path.Combine("src", "Diffusion.Native", $"Diffusion.Native.{platform}.csproj"),
            fresh = workspace["fresh"];
        foreach (string project in (string[])["src/Diffusion.Core", "operators", "src/Diffusion.Restoration", native])
            Dotnet(
                "pack",
                Path.Combine(Repository, project),
                "-c",
                "Release",
                "-o",
                Path.Combine(fresh, "packages"),
                "--nologo",
                "-v",
                "q"
            );

        Dotnet("new", "console", "-o", fresh, "--no-restore");
        // Not the packages of an earlier run, which may lie in the user's folder under the same version.
        File.WriteAllText(
            Path.Combine(fresh, "nuget.config"),
            $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="{workspace["cache"]}" /></config>
              <fallbackPackageFolders><add key="user" value="{UserPackages}" /></fallbackPackageFolders>
            </configuration>
            """
        );
        string file = Path.Combine(fresh, "fresh.csproj"),
            lines = Code(section, "xml").Replace("linux-x64", platform, StringComparison.Ordinal);
        File.WriteAllText(file, File.ReadAllText(file).Replace("</Project>", lines + "</Project>", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(fresh, "Program.cs"), Code(section, "csharp"));
        TestPictures.Write(Path.Combine(fresh, "small.png"), 40, 48);
        Finished(new ProcessStartInfo("dotnet", ["run", "-c", "Release"]) { WorkingDirectory = fresh });
        PictureInfo large = ImageFile.Identify(Path.Combine(fresh, "large.png"));
        Assert.Equal((160, 192), (large.Height, large.Width));
    }

    private static string UserPackages =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    /// <summary>The first block of code of a language.</summary>
    private static string Code(string markdown, string language)
    {
        string open = $"```{language}\n";
        int start = markdown.IndexOf(open, StringComparison.Ordinal) + open.Length;
        return markdown[start..markdown.IndexOf("```", start, StringComparison.Ordinal)];
    }

    private void Dotnet(params string[] args) => Finished(new ProcessStartInfo("dotnet", args) { WorkingDirectory = workspace.Folder });

    private static void Finished(ProcessStartInfo start)
    {
        (start.RedirectStandardOutput, start.RedirectStandardError) = (true, true);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        (int code, string output) = Finish(start);
        Assert.True(code == 0, $"dotnet {string.Join(' ', start.ArgumentList)}\n{output}");
    }

    private static (int Code, string Output) Finish(ProcessStartInfo start)
    {
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.Result);
    }

    /// <summary>The symbol versions that an ELF file asks of its libraries (section SHT_GNU_verneed).</summary>
    private static IEnumerable<string> NeededVersions(byte[] elf)
    {
        long U16(long at) => BitConverter.ToUInt16(elf, (int)at);
        long U32(long at) => BitConverter.ToUInt32(elf, (int)at);
        long U64(long at) => BitConverter.ToInt64(elf, (int)at);
        const long VersionNeeds = 0x6ffffffe;
        long table = U64(0x28),
            size = U16(0x3A),
            count = U16(0x3C);
        for (long section = 0; section < count; section++)
        {
            long header = table + section * size;
            if (U32(header + 4) != VersionNeeds)
                continue;
            long strings = U64(table + U32(header + 0x28) * size + 0x18),
                need = U64(header + 0x18);
            for (long n = U32(header + 0x2C); n > 0; n--, need += U32(need + 12))
            {
                long aux = need + U32(need + 8);
                for (long a = U16(need + 2); a > 0; a--, aux += U32(aux + 12))
                {
                    int start = (int)(strings + U32(aux + 8));
                    yield return System.Text.Encoding.ASCII.GetString(elf, start, Array.IndexOf(elf, (byte)0, start) - start);
                }
            }
        }
    }
}
