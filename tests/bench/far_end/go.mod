module far_end

go 1.19
