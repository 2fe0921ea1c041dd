using FastNN.Generate;

// fastnn-generate [--check] [ROOT]: writes what follows from the table of functions and from the public surface, or says which
// files are not as they must be.
bool check = args.Contains("--check");
string root = args.FirstOrDefault(argument => !argument.StartsWith('-')) ?? Directory.GetCurrentDirectory();
if (!File.Exists(Path.Combine(root, "FastNN.sln")))
{
    Console.Error.WriteLine($"FastNN.Generate: {root} is not the root of the repository: expected FastNN.sln there.");
    return 2;
}

if (!check)
{
    Generator.Write(root);
    return 0;
}

IReadOnlyList<string> outdated = Generator.Outdated(root);
foreach (string path in outdated)
{
    Console.Error.WriteLine($"{path} is not what the code gives: run dotnet run --project tools/FastNN.Generate");
}

return outdated.Count == 0 ? 0 : 1;
