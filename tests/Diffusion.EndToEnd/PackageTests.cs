using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;

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

    private void Dotnet(params string[] args)
    {
        ProcessStartInfo start = new("dotnet", args)
        {
            WorkingDirectory = workspace.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        (int code, string output) = Finish(start);
        Assert.True(code == 0, $"dotnet {string.Join(' ', args)}\n{output}");
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
