using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace FastNN.Tests.Scripts;

/// <summary>
/// The repository's scripts, run as copies with stand-ins for the programs that they call: they trust no folder that is open to
/// everybody, name no server, and hand no path to a shell to be read as code.
/// </summary>
[Platform("Linux", Reason = "shell scripts")]
internal sealed partial class ScriptTests : FolderFixture
{
    private static readonly string[] Scripts =
        [
            "fastnn", "test.sh", ".ci/run", "kernels/fetch-ptxas", "native/fetch-nvidia", "native/install-tools",
            "bench/debian-extra", "bench/dotnet-newer-libc"];

    [TestCaseSource(nameof(Scripts))]
    public void A_script_names_no_shared_folder_and_no_server(string script)
    {
        string text = File.ReadAllText(Path.Combine(Root(), script));
        Assert.That(text, Does.Not.Contain("/tmp"));
        Assert.That(
            Server().Matches(text).Select(match => match.Value), Has.All.Contains("dot.net"), "where to get the SDK may be said");
    }

    [Test]
    public void The_tool_locks_and_stamps_inside_the_checkout_and_needs_no_temporary_folder()
    {
        string checkout = Checkout("o'brien $(touch PWNED) #x");
        Stub("dotnet", """
            case "$1" in
                --list-sdks) echo "10.0.100 [/sdk]" ;;
                build)
                    mkdir -p src/FastNN.Cli/bin/Release/net10.0
                    echo built >> built
                    : > src/FastNN.Cli/bin/Release/net10.0/FastNN.Cli.dll ;;
                *) echo "ran $2" ;;
            esac
            """);
        (int code, string output) = Run(
            Path.Combine(checkout, "fastnn"), ["hello"], ("TMPDIR", Path.Combine(Folder, "none")), ("HOME", null),
            ("DOTNET_ROOT", null));
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("ran hello"));
        Assert.That(Path.Combine(checkout, "build", "locks", "fastnn.lock"), Does.Exist);
        string home = Path.Combine(checkout, "build", "home");
        Assert.That(home, Does.Exist, "the home of those who have none");
        if (!OperatingSystem.IsWindows())
        {
            Assert.That(
                File.GetUnixFileMode(home),
                Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        }

        (code, output) = Run(Path.Combine(checkout, "fastnn"), ["again"], ("HOME", Folder), ("DOTNET_ROOT", null));
        Assert.That(code, Is.Zero, output);
        Assert.That(File.ReadAllLines(Path.Combine(checkout, "built")), Has.Length.EqualTo(1), "nothing changed");
        Assert.That(Directory.GetFiles(Folder, "PWNED*", SearchOption.AllDirectories), Is.Empty);
    }

    [TestCase("a;b")]
    [TestCase("p%41q")]
    [TestCase("what?")]
    public void A_path_that_the_sdk_misreads_is_told_before_the_build(string name)
    {
        string checkout = Checkout(name);
        Stub("dotnet", "echo \"10.0.100 [/sdk]\"");
        (int code, string output) = Run(Path.Combine(checkout, "fastnn"), [], ("HOME", Folder), ("DOTNET_ROOT", null));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain($"cannot build in '{checkout}'"));
    }

    [TestCase("kernels/fetch-ptxas")]
    [TestCase("native/fetch-nvidia")]
    public void What_fetches_programs_wants_a_folder_of_the_users_own(string script)
    {
        Stub("ls", "");
        (int code, string output) = Run(Path.Combine(Checkout("plain"), script), [], ("HOME", null), ("XDG_CACHE_HOME", null));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("neither HOME nor XDG_CACHE_HOME is set"));
    }

    [Test]
    public void Packages_come_from_the_machines_own_sources_or_it_is_said_that_there_are_none()
    {
        string script = Path.Combine(Checkout("plain"), "bench", "debian-extra");
        Stub("apt-get", "echo \"$@\" >> \"$STUB_LOG\"");
        Stub("dpkg-deb", "");
        string[] arguments = ["trixie", "main", Path.Combine(Folder, "out"), "some-package"];
        string log = Path.Combine(Folder, "log");
        (int code, string output) = Run(script, arguments, ("STUB_LOG", log));
        Assert.That(code, Is.EqualTo(1));
        Assert.That(output, Does.Contain("no Debian mirror among its sources"));
        Assert.That(File.ReadAllLines(log), Has.All.StartWith("indextargets"), "nothing was fetched");
    }

    [Test]
    public void Nothing_is_installed_before_it_is_said()
    {
        string checkout = Checkout("plain");
        string log = Path.Combine(Folder, "log");
        Stub("apt-get", "echo \"apt-get $*\" >> \"$STUB_LOG\"; echo installing");
        Stub("id", "echo 0");
        foreach (string tool in (string[])["bash", "cut", "cat", "mktemp", "rm", "tail", "env", "dirname", "readlink"])
        {
            Link(tool);
        }

        (int code, string output) = Run(
            Path.Combine(checkout, "native", "install-tools"), [], ("PATH", Path.Combine(Folder, "bin")), ("STUB_LOG", log),
            ("FASTNN_INSTALL", "0"));
        Assert.That((code, File.Exists(log)), Is.EqualTo((1, false)), output);
        Assert.That(output, Does.Contain("apt-get install cmake"));
        (code, output) = Run(
            Path.Combine(checkout, "native", "install-tools"), [], ("PATH", Path.Combine(Folder, "bin")), ("STUB_LOG", log),
            ("FASTNN_INSTALL", null));
        Assert.That(output, Does.StartWith("as root: apt-get install -y --no-install-recommends cmake"));
        Assert.That(File.ReadAllText(log), Does.Contain("install -y"));
    }

    [Test]
    public void Kernels_are_compiled_in_a_folder_of_any_name_and_no_part_of_it_is_run()
    {
        if (!Programs("cmake", "clang-19") || !(Programs("ninja") || Programs("make")))
        {
            Assert.Ignore("needs cmake, ninja or make, and clang 19");
        }

        string checkout = Directory.CreateDirectory(Path.Combine(Folder, "o'brien $(touch PWNED); a#b")).FullName;
        Copy("src/FastNN/Cuda/Kernels.targets", "kernels/CMakeLists.txt");
        File.WriteAllText(Path.Combine(checkout, "kernels", "one.cu"), "extern \"C\" __attribute__((global)) void one() {}\n");
        string project = Path.Combine(checkout, "src", "FastNN", "Kernels.proj");
        File.WriteAllText(
            project, """<Project DefaultTargets="CompileKernels"><Import Project="Cuda/Kernels.targets" /></Project>""");
        (int code, string output) = Run(
            "dotnet", ["msbuild", "Kernels.proj", "-nologo"], ("FOLDER", Path.GetDirectoryName(project)));
        Assert.That(code, Is.Zero, output);
        Assert.That(Path.Combine(checkout, "build", "ptx", "one.ptx"), Does.Exist);
        Assert.That(Directory.GetFiles(Folder, "PWNED*", SearchOption.AllDirectories), Is.Empty);

        void Copy(params string[] files)
        {
            foreach (string file in files)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(checkout, file))!);
                File.Copy(Path.Combine(Root(), file), Path.Combine(checkout, file));
            }
        }
    }

    /// <summary>A folder of this name with the scripts, and with what they look at.</summary>
    private string Checkout(string name)
    {
        string checkout = Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;
        foreach (string script in Scripts)
        {
            string copy = Path.Combine(checkout, script);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(Path.Combine(Root(), script), copy);
        }

        foreach (string source in (string[])["src", "kernels"])
        {
            Directory.CreateDirectory(Path.Combine(checkout, source));
        }

        return checkout;
    }

    private void Stub(string program, string body)
    {
        string path = Path.Combine(Directory.CreateDirectory(Path.Combine(Folder, "bin")).FullName, program);
        File.WriteAllText(path, "#!/bin/sh\n" + body + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private void Link(string program) => File.CreateSymbolicLink(Path.Combine(Folder, "bin", program), Find(program)!);

    private static bool Programs(params string[] programs) => programs.All(program => Find(program) is not null);

    private static string? Find(string program) => Environment.GetEnvironmentVariable("PATH")!.Split(':')
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    /// <summary>Runs a program with the stand-ins first on the PATH; a variable without a value is taken away.</summary>
    private (int Code, string Output) Run(string program, string[] arguments, params (string Name, string? Value)[] environment)
    {
        var start =
            new ProcessStartInfo(program)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                RedirectStandardInput = true,
                WorkingDirectory = Folder
            };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["PATH"] = $"{Path.Combine(Folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        foreach ((string name, string? value) in environment)
        {
            if (name == "FOLDER")
            {
                start.WorkingDirectory = value;
            }
            else if (value is null)
            {
                start.Environment.Remove(name);
            }
            else
            {
                start.Environment[name] = value;
            }
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));

    [GeneratedRegex(@"\bhttps?://\S+")]
    private static partial Regex Server();
}
